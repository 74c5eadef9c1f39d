import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { UnimissError } from '../../../../protocol/errors.ts';
import { writeAtomically } from '../../../files/atomic.ts';
import { type GridToWrite, storedBlocks } from '../gridWriter.ts';
import { imageError } from '../imageError.ts';
import type { ItkImage, ItkTask } from '../itk/itkTask.ts';
import { isImage, withItk } from '../itk/itkThread.ts';
import { limits } from '../limits.ts';
import type { Affine, AffineRow } from '../niftiGeometry.ts';
import { rotationOf } from '../niftiGridHeader.ts';
import type { Decoded, LabelNames, StoredGrid } from '../storedVolume.ts';
import { parseDicom } from './dicomHeader.ts';
import { madeUid, referenceFile } from './referenceFile.ts';

/** Labels to write as DICOM segmentation. */
export interface SegmentationToWrite {
  /** C order [slices, x, y] in the axes of `arrayAxes`, as `readVolume` gave the image; 0 is background. */
  readonly data: Uint8Array | Int16Array;
  /** The grid of a DICOM image. */
  readonly grid: StoredGrid;
  readonly labelNames?: LabelNames | undefined;
}

const code = (CodeValue: string, CodeMeaning: string) => ({ CodeValue, CodingSchemeDesignator: 'SCT', CodeMeaning });
/** SNOMED CT's most general code: what a label is, is in its name. */
const tissue = code('85756007', 'Tissue');
/** Time for a label, ms, on a slow machine. */
const msPerLabel = 10_000;

/**
 * Writes labels as a DICOM segmentation (SEG) of the series that they were made from, atomically. Slices without a label are left out.
 * @throws UnimissError('data') where the grid is no DICOM series, or cannot be kept; 'disk' where the file cannot be written
 */
export async function writeSegmentation(path: string, labels: SegmentationToWrite, mode = 0o644): Promise<void> {
  const { data, grid, labelNames } = labels;
  const files = grid.dicomFiles ?? [];
  const cannot = (what: string) => new UnimissError('data', what, { place: path, remedy: 'Write .nii.gz instead.' });
  if (files.length === 0) throw cannot('a DICOM segmentation needs a DICOM image');
  if (!rotationOf(grid.affine)) throw cannot('a DICOM segmentation cannot hold the tilted slices of this series');
  const present = labelsIn(data);
  if (present.length === 0) throw cannot('no voxel has a label, and a DICOM segmentation cannot be empty');
  if ((present[0] ?? 0) < 0) throw cannot(`a DICOM segmentation cannot hold the label ${present[0]}`);

  const folder = await mkdtemp(join(tmpdir(), 'unimiss-seg-'));
  try {
    const key = madeUid(files.join('\n'));
    const references: string[] = [];
    for (const [k, file] of files.entries()) {
      const reference = join(folder, `slice-${k}`);
      await writeFile(reference, referenceFile((await parseDicom(file)).dataSet, key), { mode: 0o600 });
      references.push(reference);
    }
    const out = join(folder, 'segmentation.dcm');
    const task: ItkTask = {
      pipeline: 'write-segmentation',
      args: ['0', '1', out, '--ref-dicom-series', ...references, '--skip-empty-slices'],
      inputs: [{ image: itkImage(data, grid) }, { json: about(present, labelNames) }],
      outputs: [],
      mounts: [folder],
    };
    const limit = (bytes: number) => 60_000 + msPerLabel * present.length + bytes / 1000;
    await withItk((itk) => itk.run(path, task, 2 * data.length), limit);
    const bytes = await readFile(out);
    await writeAtomically(path, (handle) => handle.writeFile(bytes), { mode });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function labelsIn(data: SegmentationToWrite['data']): number[] {
  const found = new Set<number>();
  for (const value of data) found.add(value);
  found.delete(0);
  return [...found].sort((a, b) => a - b);
}

/** The grid in ITK's terms (LPS, direction row by row), its voxels as 16-bit integers: the only type that the writer takes. */
function itkImage(data: GridToWrite['data'], grid: StoredGrid): ItkImage {
  const stored = new Int16Array(data.length);
  let at = 0;
  for (const block of storedBlocks(data, grid)) {
    stored.set(block, at);
    at += block.length;
  }
  const lengths = ([0, 1, 2] as const).map((c) => Math.hypot(grid.affine[0][c], grid.affine[1][c], grid.affine[2][c]));
  const lps = grid.affine.map((row, r) => row.map((value) => (r < 2 ? -value : value) + 0));
  return {
    imageType: { dimension: 3, componentType: 'int16', pixelType: 'Scalar', components: 1 },
    name: 'labels',
    origin: lps.map((row) => row[3] ?? 0),
    spacing: lengths,
    direction: Float64Array.from(lps.flatMap((row) => lengths.map((mm, c) => (row[c] ?? 0) / mm))),
    size: grid.size,
    metadata: new Map(),
    data: stored,
  };
}

/** What dcmqi wants to know (https://github.com/QIICR/dcmqi/blob/master/doc/schemas/seg-schema.json). */
function about(present: readonly number[], names: LabelNames | undefined) {
  const segments = present.map((label) => {
    const name = (names?.get(label) ?? `label ${label}`).slice(0, 64);
    return {
      labelID: label,
      SegmentLabel: name,
      // Segments are numbered from 1 without a gap (PS3.3 C.8.20.4); the value of the label goes here.
      SegmentDescription: `label ${label}`,
      SegmentAlgorithmType: 'AUTOMATIC',
      SegmentAlgorithmName: 'UniMiSS',
      SegmentedPropertyCategoryCodeSequence: tissue,
      SegmentedPropertyTypeCodeSequence: tissue,
    };
  });
  return {
    ContentCreatorName: 'UniMiSS',
    ClinicalTrialSeriesID: '1',
    ClinicalTrialTimePointID: '1',
    ClinicalTrialCoordinatingCenterName: 'UniMiSS',
    SeriesDescription: 'Segmentation by UniMiSS',
    SeriesNumber: '300',
    InstanceNumber: '1',
    BodyPartExamined: '',
    segmentAttributes: [segments],
  };
}

/**
 * Reads a DICOM segmentation: its segments as labels, with their names; numbered as in the file, but with the labels' values where UniMiSS wrote it. Segments that overlap are refused. A file leaves
 * out slices without a label: with `into`, the grid of the image, they come back.
 * @throws UnimissError('data') naming file and reason
 */
export async function decodeSegmentation(path: string, into?: Pick<StoredGrid, 'size' | 'affine'>): Promise<Decoded> {
  const { dataSet } = await parseDicom(path);
  const rows = dataSet.uint16('x00280010') ?? 0;
  const columns = dataSet.uint16('x00280011') ?? 0;
  if (dataSet.string('x00620001')?.trim() === 'FRACTIONAL')
    throw imageError(path, 'holds probabilities, not labels (a fractional segmentation)');
  const file = resolve(path);
  const task: ItkTask = {
    pipeline: 'read-overlapping-segmentation',
    args: [file, '0', '1', '--merge-segments'],
    inputs: [],
    outputs: ['image', 'json'],
    mounts: [dirname(file)],
  };
  const [image, meta] = await withItk((itk) => itk.run(path, task, limits.voxels));
  const [i, j, k = 0] = (image as ItkImage | undefined)?.size ?? [];
  if (i !== columns || j !== rows || !isImage(image, i * j * k))
    throw imageError(path, 'holds segments that overlap, where each voxel can have one label', {
      remedy: 'Save its segments as separate images.',
    });
  const own = { size: [i, j, k] as const, affine: affineOf(image) };
  const segments = segmentsOf(meta);
  const data = relabelled(image.data as Int16Array, segments);
  const labelNames = new Map(segments.map(({ label, name }) => [label, name]));
  return {
    voxels: into ? padded(path, data, own, into) : data,
    scaling: { slope: 1, intercept: 0 },
    grid: { format: 'dicom', ...(into ?? own), type: 'int16', labelNames, dicomFiles: [path] },
    spacingKnown: true,
  };
}

function affineOf({ spacing, origin, direction }: ItkImage): Affine {
  const row = (r: 0 | 1 | 2): AffineRow => {
    const sign = r < 2 ? -1 : 1;
    const along = (c: number) => sign * (direction[3 * r + c] ?? 0) * (spacing[c] ?? 1) + 0;
    return [along(0), along(1), along(2), sign * (origin[r] ?? 0) + 0];
  };
  return [row(0), row(1), row(2)];
}

/** How far, in voxels, the places of voxels of two grids may differ. */
const tolerance = 0.05;

/** The labels in a larger grid whose slices they are a part of. */
function padded(
  path: string,
  data: Int16Array,
  own: Pick<StoredGrid, 'size' | 'affine'>,
  into: Pick<StoredGrid, 'size' | 'affine'>,
): Int16Array {
  const other = () =>
    imageError(path, 'lies in another grid than its image', {
      remedy: 'Give the segmentation that was made on this image.',
    });
  const step = (axis: 0 | 1 | 2) => into.affine.map((row) => row[axis]);
  const normal = step(2);
  const length = Math.hypot(...normal);
  const shift = into.affine.map((row, r) => (own.affine[r]?.[3] ?? 0) - row[3]);
  const first = Math.round(shift.reduce((sum, mm, r) => sum + (mm * (normal[r] ?? 0)) / length ** 2, 0));
  const end = own.size.map((n) => n - 1);
  const at = (affine: Affine, [i = 0, j = 0, k = 0]: readonly number[]) =>
    affine.map((row) => row[0] * i + row[1] * j + row[2] * k + row[3]);
  for (const corner of [[0, 0, 0], end, [end[0] ?? 0, 0, 0], [0, end[1] ?? 0, 0]]) {
    const mine = at(own.affine, corner);
    const theirs = at(into.affine, [corner[0] ?? 0, corner[1] ?? 0, (corner[2] ?? 0) + first]);
    if (Math.hypot(...mine.map((mm, r) => mm - (theirs[r] ?? 0))) > tolerance * length) throw other();
  }
  const [i, j, k] = own.size;
  if (i !== into.size[0] || j !== into.size[1] || first < 0 || first + k > into.size[2]) throw other();
  const whole = new Int16Array(i * j * into.size[2]);
  whole.set(data, first * i * j);
  return whole;
}

interface Segment {
  readonly number: number;
  readonly label: number;
  readonly name: string;
}

/** The segments that dcmqi lists. Their descriptions hold the labels' values where all of them do. */
function segmentsOf(meta: unknown): Segment[] {
  const groups = (meta as { segmentAttributes?: unknown } | undefined)?.segmentAttributes;
  const found = (Array.isArray(groups) ? groups.flat() : []).flatMap((segment: Record<string, unknown>) => {
    const { labelID, SegmentLabel, SegmentDescription } = segment;
    if (typeof labelID !== 'number') return [];
    const value = Number(/^label (\d{1,5})$/.exec(String(SegmentDescription ?? ''))?.[1] ?? Number.NaN);
    return [
      {
        number: labelID,
        value,
        name: String(SegmentLabel ?? SegmentDescription ?? `segment ${labelID}`).slice(0, 300),
      },
    ];
  });
  const ours = new Set(found.map(({ value }) => value)).size === found.length && found.every(({ value }) => value > 0);
  return found.map(({ number, value, name }) => ({ number, label: ours ? value : number, name }));
}

function relabelled(data: Int16Array, segments: readonly Segment[]): Int16Array {
  if (segments.every(({ number, label }) => number === label)) return data;
  const labels = new Map(segments.map(({ number, label }) => [number, label]));
  return data.map((value) => labels.get(value) ?? value);
}
