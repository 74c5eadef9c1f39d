import { dirname } from 'node:path';
import { encode } from 'fast-png';
import { UnimissError } from '../../../../protocol/errors.ts';
import { writeSegmentation } from '../../../data/formats/dicom/segmentation.ts';
import { writeInGrid } from '../../../data/formats/gridWriter.ts';
import type { LabelNames } from '../../../data/formats/storedVolume.ts';
import type { StoredCase } from '../../../data/prepared/readCase.ts';
import { writeAtomically } from '../../../files/atomic.ts';
import { requireFolder } from '../../../files/folder.ts';
import type { NetworkPlan } from '../../folder/networkPlan.ts';

/** Labels by class number: one map [D, H, W] of exclusive labels, a map a class of overlapping ones. */
export type LabelMapsOfImage = readonly (Uint8Array | Uint16Array)[];

/** Files of one user alone: they are about patients. */
export const privateMode = 0o600;

/**
 * Writes label maps with the data set's own values, in the grid of the image: NIfTI for volumes, PNG for pictures; beside it a DICOM
 * segmentation for DICOM series.
 * @param base path of the results without ending
 * @param dicom false: without such a segmentation
 * @returns the paths, and what could not be written
 */
export async function writeLabels(
  base: string,
  maps: LabelMapsOfImage,
  stored: StoredCase,
  plan: NetworkPlan,
  { dicom = true }: { readonly dicom?: boolean } = {},
): Promise<{ files: string[]; notices: string[] }> {
  await requireFolder(dirname(base));
  const files: string[] = [];
  const notices: string[] = [];
  for (const { name, data, labelNames } of labelsToWrite(maps, stored, plan)) {
    const path = `${base}${name}.${stored.grid ? 'nii.gz' : 'png'}`;
    await writeMap(path, data, stored, labelNames);
    files.push(path);
    if (stored.grid?.format !== 'dicom' || !dicom) continue;
    const seg = `${base}${name}.dcm`;
    const refused = await writeSeg(seg, data, stored.grid, labelNames);
    if (refused === undefined) files.push(seg);
    else notices.push(`has no DICOM segmentation: ${refused}`);
  }
  return { files, notices };
}

interface ToWrite {
  /** What follows the image's name. */
  readonly name: string;
  readonly data: Uint8Array | Uint16Array;
  readonly labelNames: LabelNames;
}

function* labelsToWrite(maps: LabelMapsOfImage, { grid }: StoredCase, { labels, classes }: NetworkPlan) {
  if (labels === 'overlapping') {
    const there = grid ? 1 : 255; // a mask that people can see
    for (const [k, { name }] of classes.entries()) {
      const data = Uint8Array.from(maps[k] ?? [], (value) => value * there);
      yield { name: `.${fileName(name)}`, data, labelNames: new Map([[1, name]]) } satisfies ToWrite;
    }
    return;
  }
  const values = classes.map(({ values: [value = 0] }) => value);
  const [numbers = new Uint8Array()] = maps;
  const data = withValues(numbers, values);
  const named = classes.flatMap(({ name }, k) => (values[k] === 0 ? [] : [[values[k]!, name] as const]));
  yield { name: '', data, labelNames: new Map(named) } satisfies ToWrite;
}

/** Class numbers as the data set's values; the array itself where they are the same. */
function withValues(numbers: Uint8Array | Uint16Array, values: readonly number[]): Uint8Array | Uint16Array {
  if (values.every((value, k) => value === k)) return numbers;
  const labels = new (Math.max(...values) > 255 ? Uint16Array : Uint8Array)(numbers.length);
  for (let voxel = 0; voxel < labels.length; voxel++) labels[voxel] = values[numbers[voxel]!]!;
  return labels;
}

/** A class's name as a part of a file's name. */
export function fileName(name: string): string {
  return name.replace(/[^\p{L}\p{N}_-]+/gu, '_');
}

async function writeMap(
  path: string,
  data: Uint8Array | Uint16Array,
  { grid, size }: StoredCase,
  labelNames: LabelNames,
): Promise<void> {
  if (grid) return writeInGrid(path, { data, grid, labelNames }, privateMode);
  const depth = data instanceof Uint16Array ? 16 : 8;
  const png = encode({ width: size[2], height: size[1], data, channels: 1, depth });
  await writeAtomically(path, (handle) => handle.writeFile(png), { mode: privateMode });
}

/** @returns why there is none: nothing is labelled, or DICOM cannot hold it. The NIfTI file beside it has all labels */
async function writeSeg(
  path: string,
  data: Uint8Array | Uint16Array,
  grid: NonNullable<StoredCase['grid']>,
  labelNames: LabelNames,
): Promise<string | undefined> {
  try {
    const values = data instanceof Uint8Array ? data : Int16Array.from(data);
    await writeSegmentation(path, { data: values, grid, labelNames }, privateMode);
    return undefined;
  } catch (error) {
    if (!(error instanceof UnimissError) || error.code !== 'data') throw error;
    return error.what;
  }
}
