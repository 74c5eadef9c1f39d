import { inflateRawSync } from 'node:zlib';
import dicomParser, { type DataSet } from 'dicom-parser';
import { readEnds } from '../bytes.ts';
import { imageError } from '../imageError.ts';
import { limits } from '../limits.ts';
import { isPlain, unreadableSyntax } from './transferSyntaxes.ts';

export type Vector = readonly [number, number, number];

/** What is read of one DICOM file before its pixels. */
export interface DicomHeader {
  readonly path: string;
  /** Instance, series and kind of object; '' where the file does not say. */
  readonly instance: string;
  readonly series: string;
  readonly sopClass: string;
  readonly modality: string;
  readonly transferSyntax: string;
  readonly rows: number;
  readonly columns: number;
  readonly frames: number;
  /** Numbers for each pixel: 1, or 3 for colour. */
  readonly samples: number;
  readonly bitsAllocated: number;
  readonly bitsStored: number;
  readonly signed: boolean;
  /** MONOCHROME1: the smallest value is the brightest. */
  readonly inverted: boolean;
  readonly slope: number;
  readonly intercept: number;
  /** Where the centre of the first pixel of each frame lies, LPS mm; undefined where a frame does not say. */
  readonly positions: readonly Vector[] | undefined;
  /** Directions of a row (towards the next column) and of a column (towards the next row), LPS. */
  readonly orientation: readonly [row: Vector, column: Vector] | undefined;
  /** mm from row to row and from column to column. */
  readonly pixelSpacing: readonly [rows: number, columns: number] | undefined;
  /** Tag (0018,0088), mm; it is often wrong. */
  readonly sliceSpacingTag: number | undefined;
  readonly instanceNumber: number;
  /** Bytes behind the last element: the file is not of the form that its header says. */
  readonly extraBytes: number;
}

const segmentationClass = '1.2.840.10008.5.1.4.1.1.66.4';
/** Bytes that are read for a header, more where one is longer. */
const steps = [2 ** 16, 2 ** 21, 2 ** 26] as const;
const pixelData = 'x7fe00010';

/** Whether a file is a DICOM segmentation (SEG). */
export function isSegmentation({ sopClass }: Pick<DicomHeader, 'sopClass'>): boolean {
  return sopClass === segmentationClass;
}

/**
 * Reads and checks the header of a DICOM file (PS3.10, with its preamble) before anything is allocated for its pixels.
 * @returns undefined for a sound file without pixels, such as a report or a directory
 * @throws UnimissError('data') naming file and reason
 */
export async function readDicomHeader(path: string): Promise<DicomHeader | undefined> {
  const { dataSet, size } = await parseDicom(path);
  const element = dataSet.elements[pixelData];
  const rows = dataSet.uint16('x00280010');
  const columns = dataSet.uint16('x00280011');
  if (!element || !rows || !columns) return undefined;
  const text = (tag: string) => dataSet.string(tag) ?? '';
  const transferSyntax = text('x00020010');
  const refused = unreadableSyntax(transferSyntax);
  if (refused !== undefined)
    throw imageError(path, refused, { remedy: 'Convert it, for example with `gdcmconv --raw` or `dcmdjpeg`.' });
  const frames = Number(dataSet.string('x00280008') ?? 1);
  const samples = dataSet.uint16('x00280002') ?? 1;
  const bitsAllocated = dataSet.uint16('x00280100') ?? 16;
  if (!Number.isInteger(frames) || frames < 1) throw imageError(path, 'says that it has no whole number of frames');
  if (Math.max(rows, columns, frames) > limits.axis || rows * columns * frames * samples > limits.voxels)
    throw imageError(
      path,
      `claims ${frames} frames of ${rows}×${columns} pixels, more than the limit of ${limits.voxels}`,
    );
  const sopClass = text('x00080016');
  const extraBytes = checkLength(path, element, (rows * columns * frames * samples * bitsAllocated) / 8, {
    size,
    plain: isPlain(transferSyntax),
  });
  const groups = groupsOf(dataSet);
  const values = rescaling(path, dataSet, groups);
  return {
    path,
    instance: text('x00080018'),
    series: text('x0020000e'),
    sopClass,
    modality: text('x00080060').replace(/[^A-Z0-9]/g, ''),
    transferSyntax,
    rows,
    columns,
    frames,
    samples,
    bitsAllocated,
    bitsStored: dataSet.uint16('x00280101') ?? bitsAllocated,
    signed: dataSet.uint16('x00280103') === 1,
    inverted: text('x00280004').trim() === 'MONOCHROME1',
    ...values,
    positions: positionsOf(dataSet, groups, frames),
    orientation: orientationOf(dataSet, groups),
    pixelSpacing: pair(inGroup(groups[0], 'x00289110', 'x00280030') ?? numbers(dataSet, 'x00280030')),
    sliceSpacingTag: numbers(dataSet, 'x00180088')?.[0] ?? inGroup(groups[0], 'x00289110', 'x00180088')?.[0],
    instanceNumber: Number(dataSet.string('x00200013') ?? 0) || 0,
    extraBytes,
  };
}

/** The tags of a file up to its pixels, and its size. Throws UnimissError('data'). */
export async function parseDicom(path: string): Promise<{ dataSet: DataSet; size: number }> {
  for (const bytes of steps) {
    const { head, size } = await readEnds(path, bytes, 0);
    try {
      const dataSet = dicomParser.parseDicom(head, { untilTag: pixelData, inflater: inflate });
      return { dataSet, size };
    } catch (error) {
      // The parser throws where an element goes on behind what was read.
      if (size > head.length && bytes !== steps[2]) continue;
      throw imageError(path, 'has a damaged DICOM header', {
        remedy: 'Copy or export the file again.',
        cause: error instanceof Error ? error : new Error(JSON.stringify(error)?.slice(0, 200)),
      });
    }
  }
  throw imageError(path, 'has a DICOM header that does not end');
}

/** Deflated files: header and pixels are one stream behind the group of the file's meta information. */
function inflate(bytes: Uint8Array, position: number): Uint8Array {
  const rest = inflateRawSync(bytes.subarray(position), { maxOutputLength: limits.imageFileBytes });
  const whole = new Uint8Array(position + rest.length);
  whole.set(bytes.subarray(0, position));
  whole.set(rest, position);
  return whole;
}

/** Compares the pixels' length with what the header claims and with the file. Returns the bytes behind them that are no DICOM. */
function checkLength(
  path: string,
  element: { readonly length: number; readonly dataOffset: number; readonly hadUndefinedLength?: boolean },
  claimed: number,
  { size, plain }: { size: number; plain: boolean },
): number {
  // Of an encapsulated element the parser knows no end; of a deflated file no place in the file.
  if (!plain || element.hadUndefinedLength) return 0;
  const available = Math.min(element.length, size - element.dataOffset);
  if (available < claimed)
    throw imageError(
      path,
      `is truncated, or its header lies: it claims ${claimed} bytes of pixels, and holds ${Math.max(0, available)}`,
      {
        remedy: 'Copy or export the file again.',
      },
    );
  // Padding and signatures are small; an image behind the image is not.
  const behind = size - element.dataOffset - element.length;
  return behind > 2 ** 16 ? behind : 0;
}

function numbers(dataSet: DataSet | undefined, tag: string): number[] | undefined {
  const text = dataSet?.string(tag);
  if (text === undefined || text.trim() === '') return undefined;
  const values = text.split('\\').map(Number);
  return values.every(Number.isFinite) ? values : undefined;
}

/** The functional groups of each frame of an enhanced multi-frame file, the shared ones behind them; [] for other files. */
function groupsOf(dataSet: DataSet): (readonly DataSet[])[] {
  const items = (tag: string) => dataSet.elements[tag]?.items?.flatMap((item) => item.dataSet ?? []) ?? [];
  const shared = items('x52009229');
  const frames = items('x52009230').map((frame) => [frame, ...shared]);
  return frames.length > 0 ? frames : shared.length > 0 ? [shared] : [];
}

function inGroup(groups: readonly DataSet[] | undefined, macro: string, tag: string): number[] | undefined {
  for (const group of groups ?? []) {
    const found = numbers(group.elements[macro]?.items?.[0]?.dataSet, tag);
    if (found) return found;
  }
  return undefined;
}

function positionsOf(dataSet: DataSet, groups: readonly (readonly DataSet[])[], frames: number): Vector[] | undefined {
  const own = vector(numbers(dataSet, 'x00200032'));
  if (frames === 1 && own) return [own];
  const found = groups
    .map((group) => vector(inGroup(group, 'x00209113', 'x00200032')))
    .filter((position) => position !== undefined);
  return found.length === frames ? found : undefined;
}

function orientationOf(
  dataSet: DataSet,
  groups: readonly (readonly DataSet[])[],
): readonly [Vector, Vector] | undefined {
  const six = inGroup(groups[0], 'x00209116', 'x00200037') ?? numbers(dataSet, 'x00200037');
  const [row, column] = [vector(six?.slice(0, 3)), vector(six?.slice(3))];
  return row && column ? [row, column] : undefined;
}

function rescaling(path: string, dataSet: DataSet, groups: readonly (readonly DataSet[])[]) {
  const of = (group: readonly DataSet[] | undefined) => ({
    slope: inGroup(group, 'x00289145', 'x00281053')?.[0] ?? numbers(dataSet, 'x00281053')?.[0] ?? 1,
    intercept: inGroup(group, 'x00289145', 'x00281052')?.[0] ?? numbers(dataSet, 'x00281052')?.[0] ?? 0,
  });
  const first = of(groups[0]);
  if (groups.some((group) => of(group).slope !== first.slope || of(group).intercept !== first.intercept))
    throw imageError(path, 'scales the values of its frames differently', { remedy: 'Convert it to NIfTI.' });
  return first;
}

function vector(values: readonly number[] | undefined): Vector | undefined {
  const [x, y, z] = values ?? [];
  return values?.length === 3 && x !== undefined && y !== undefined && z !== undefined ? [x, y, z] : undefined;
}

function pair(values: readonly number[] | undefined): readonly [number, number] | undefined {
  const [rows, columns] = values ?? [];
  return rows !== undefined && columns !== undefined && rows > 0 && columns > 0 ? [rows, columns] : undefined;
}
