import { basename, dirname, resolve } from 'node:path';
import { UnimissError } from '../../../../protocol/errors.ts';
import type { Image2D } from '../../types.ts';
import { imageError } from '../imageError.ts';
import { windowTo8Bit } from '../intensity.ts';
import type { ItkTask } from '../itk/itkTask.ts';
import { type Itk, isImage, withItk } from '../itk/itkThread.ts';
import { limits } from '../limits.ts';
import type { ReadOptions } from '../nifti.ts';
import type { Affine } from '../niftiGeometry.ts';
import type { Decoded } from '../storedVolume.ts';
import type { StoredVoxels } from '../voxels.ts';
import { type DicomGroup, type LeftOut, openDicom } from './dicomFolder.ts';
import type { DicomHeader } from './dicomHeader.ts';
import { NoStack, type Slice, type Stack, stackSlices } from './slices.ts';

/** A slice, and where its pixels are. */
interface FileSlice extends Slice {
  readonly header: DicomHeader;
  /** Number of the frame in its file. */
  readonly frame: number;
}

/** What is known of a DICOM volume from its headers. */
export interface DicomVolumeInfo {
  readonly size: readonly [i: number, j: number, k: number];
  readonly stack: Stack<FileSlice>;
  readonly spacingKnown: boolean;
  readonly leftOut: readonly LeftOut[];
}

/** Files that ITK decodes in one go: the memory that it takes is that of their slices. */
const filesAtOnce = 32;
/** Kinds of images whose frames are times, never slices. */
const overTime = ['XA', 'RF', 'US', 'IVUS', 'ES', 'CR', 'DX', 'MG'];

/** Reads and checks the headers of a DICOM folder or file: 3D with its size, or one picture. Throws UnimissError('data'). */
export async function inspectDicom(
  path: string,
  options: ReadOptions = {},
): Promise<(DicomVolumeInfo & { kind: '3D' }) | { kind: '2D'; header: DicomHeader }> {
  const { group, leftOut } = await openDicom(path);
  if (group.kind === 'picture') return { kind: '2D', header: group.headers[0] };
  return { kind: '3D', ...volumeOf(path, group, leftOut, options) };
}

function volumeOf(
  path: string,
  { headers }: DicomGroup,
  leftOut: readonly LeftOut[],
  { volume }: ReadOptions,
): DicomVolumeInfo {
  const [first] = headers;
  if (headers.length === 1 && first.extraBytes > 0)
    throw imageError(path, `is damaged: ${first.extraBytes} bytes follow its image`, { remedy: 'Export it again.' });
  if (first.samples !== 1)
    throw imageError(path, 'is a colour image, where one number for each voxel is expected', {
      remedy: 'Convert it to grey.',
    });
  const { rows, columns } = first;
  const slices = headers.flatMap((header) =>
    Array.from({ length: header.frames }, (_, frame): FileSlice => {
      const position = header.positions?.[frame] ?? [0, 0, frame];
      const name = header.frames > 1 ? `frame ${frame + 1}` : basename(header.path);
      return { header, frame, position, name, number: header.frames > 1 ? frame : header.instanceNumber };
    }),
  );
  if (rows * columns * slices.length > limits.voxels)
    throw imageError(
      path,
      `claims ${columns}×${rows}×${slices.length} voxels, more than the limit of ${limits.voxels}`,
    );
  if (Math.min(rows, columns) < 2) throw imageError(path, `is of ${columns}×${rows} pixels a slice`);
  const { stack, spacingKnown } = placed(path, first, slices, volume);
  return { size: [columns, rows, stack.slices.length], stack, spacingKnown, leftOut };
}

function placed(path: string, first: DicomHeader, slices: readonly FileSlice[], volume: number | undefined) {
  const { orientation, positions, pixelSpacing, modality, frames } = first;
  if (!orientation || !positions) {
    if (overTime.includes(modality))
      throw imageError(path, `has ${frames} frames without positions: in ${modality} they are times, not slices`, {
        remedy: 'Save the wanted frames as 2D images.',
      });
    const notices = [
      `has ${frames} frames without positions: they are taken as slices from the feet to the head, in their order`,
    ];
    const affine: Affine = [
      [-(pixelSpacing?.[1] ?? 1), 0, 0, 0],
      [0, -(pixelSpacing?.[0] ?? 1), 0, 0],
      [0, 0, 1, 0],
    ];
    return { stack: { slices, affine, notices }, spacingKnown: false };
  }
  const found = stackSlices(
    slices,
    {
      orientation,
      pixelSpacing: pixelSpacing ?? [1, 1],
      sliceSpacingTag: frames === 1 ? first.sliceSpacingTag : undefined,
    },
    volume,
  );
  if (found instanceof NoStack) {
    const { what, remedy, names } = found;
    throw new UnimissError('data', what, { place: path, remedy, images: [path, ...names] });
  }
  return { stack: found, spacingKnown: pixelSpacing !== undefined };
}

/**
 * Reads a DICOM volume: a folder with a series, a file of several frames, or any file of a series. ITK decodes the pixels, in a thread, with
 * rescale slope and intercept applied; where they lie is worked out from the headers.
 * @throws UnimissError('data') naming file and reason
 */
export async function decodeDicom(path: string, options: ReadOptions = {}): Promise<Decoded> {
  const info = await inspectDicom(path, options);
  if (info.kind === '2D') throw imageError(path, 'is a 2D image, where a volume is expected');
  const { size, stack, spacingKnown, leftOut } = info;
  const voxels = await withItk((itk) => decodeSlices(path, itk, stack.slices, size));
  const files = [...new Set(stack.slices.map(({ header }) => header.path))];
  return {
    voxels,
    scaling: { slope: 1, intercept: 0 },
    grid: { format: 'dicom', size, affine: stack.affine, type: typeName(voxels), dicomFiles: files },
    spacingKnown,
    notices: stack.notices,
    leftOut,
  };
}

/** What pixels of DICOM can be. */
type NumberVoxels = Exclude<StoredVoxels, BigInt64Array | BigUint64Array>;

/** Runs of slices that one call can decode: files of one frame with the same scaling, or one file of several frames. */
function batches(slices: readonly FileSlice[]): FileSlice[][] {
  const out: FileSlice[][] = [];
  for (const slice of slices) {
    const batch = out.at(-1);
    const [one] = batch ?? [];
    const { header } = slice;
    const same =
      one &&
      (header.frames > 1
        ? one.header === header
        : one.header.frames === 1 &&
          (batch?.length ?? 0) < filesAtOnce &&
          one.header.slope === header.slope &&
          one.header.intercept === header.intercept &&
          one.header.bitsStored === header.bitsStored &&
          one.header.signed === header.signed &&
          one.header.transferSyntax === header.transferSyntax);
    if (same) batch?.push(slice);
    else out.push([slice]);
  }
  return out;
}

async function decodeSlices(
  path: string,
  itk: Itk,
  slices: readonly FileSlice[],
  [columns, rows, depth]: readonly [number, number, number],
): Promise<NumberVoxels> {
  const area = columns * rows;
  let all: NumberVoxels | undefined;
  let k = 0;
  for (const batch of batches(slices)) {
    const [first] = batch;
    if (!first) continue;
    const { frames } = first.header;
    const count = frames > 1 ? frames : batch.length;
    const files = frames > 1 ? [first.header.path] : batch.map(({ header }) => header.path);
    const data = await decodeFiles(path, itk, files, area * count, first.header);
    const Numbers = data.constructor as new (length: number) => NumberVoxels;
    all ??= new Numbers(area * depth);
    // Slices that are scaled in another way may give numbers of another type.
    if (!(all instanceof Numbers || all instanceof Float32Array)) all = Float32Array.from(all);
    for (const [n, { frame }] of batch.entries()) {
      const from = frames > 1 ? frame : n;
      all.set(data.subarray(from * area, (from + 1) * area), k++ * area);
    }
  }
  if (!all) throw undecodable(path);
  return narrowed(all);
}

/** Whole numbers as 16-bit ones where these are enough: ITK gives 32 bits where values are scaled. */
function narrowed(values: NumberVoxels): NumberVoxels {
  if (!(values instanceof Int32Array || values instanceof Uint32Array || values instanceof Uint16Array)) return values;
  const small = new Int16Array(values.length);
  for (let i = 0; i < values.length; i++) {
    small[i] = values[i]!;
    if (small[i] !== values[i]) return values;
  }
  return small;
}

/** The numbers of files in the order that is given, all of one form, as many as `voxels`. */
async function decodeFiles(
  path: string,
  itk: Itk,
  files: readonly string[],
  voxels: number,
  form: DicomHeader,
): Promise<NumberVoxels> {
  const real = files.map((file) => resolve(file));
  const task: ItkTask = {
    pipeline: 'read-image-dicom-file-series',
    args: ['0', '1', '--input-images', ...real, '--single-sorted-series'],
    inputs: [],
    outputs: ['image', 'json'],
    mounts: [...new Set(real.map((file) => dirname(file)))],
  };
  const [image, order] = await itk.run(path, task, 8 * voxels);
  const kept = Array.isArray(order) && order.length === real.length && order.every((file, i) => file === real[i]);
  if (!isImage(image, voxels) || !kept) throw undecodable(path);
  const { data } = image;
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) throw undecodable(path);
  if (form.inverted) turnBack(data, form);
  return data;
}

/** ITK turns the values of MONOCHROME1 round, as if for a screen; what a volume holds are the values themselves. */
function turnBack(data: NumberVoxels, { signed, bitsStored, slope, intercept }: DicomHeader): void {
  const sum = slope * (signed ? -1 : 2 ** bitsStored - 1) + 2 * intercept;
  for (let i = 0; i < data.length; i++) data[i] = sum - data[i]!;
}

function undecodable(path: string): UnimissError {
  return imageError(path, 'cannot be decoded: its pixels are not of the size that its headers say', {
    remedy: 'Export it again, or convert it to .nii.gz.',
  });
}

function typeName(voxels: StoredVoxels): string {
  return voxels.constructor.name
    .replace(/Array$/, '')
    .replace(/^Big/, '')
    .toLowerCase();
}

/**
 * Reads one DICOM file as a picture, 8-bit RGB: grey is windowed as 16-bit PNG is, and turned round where it is MONOCHROME1.
 * @throws UnimissError('data') naming file and reason
 */
export async function readDicomPicture(path: string): Promise<Image2D> {
  const info = await inspectDicom(path);
  if (info.kind === '3D') throw imageError(path, 'is a volume, where a 2D image is expected');
  const { rows: height, columns: width, samples, inverted, extraBytes } = info.header;
  if (extraBytes > 0) throw imageError(path, `is damaged: ${extraBytes} bytes follow its image`);
  if (width * height > limits.pixels)
    throw imageError(path, `claims ${width}×${height} pixels, more than the limit of ${limits.pixels}`);
  const data = await decodePixels(path, info.header);
  if (samples === 3 && data instanceof Uint8Array) return { kind: '2D', width, height, data: Uint8Array.from(data) };
  if (samples !== 1) throw imageError(path, `has ${samples} numbers of more than 8 bits for each pixel`);
  const grey = windowTo8Bit(nonNegative(data));
  const rgb = new Uint8Array(3 * grey.length);
  for (const [i, value] of grey.entries()) rgb.fill(inverted ? 255 - value : value, 3 * i, 3 * i + 3);
  return { kind: '2D', width, height, data: rgb };
}

/** The numbers of one file, frame by frame, with rescale slope and intercept applied. Throws UnimissError('data') naming `path`. */
export async function decodePixels(path: string, header: DicomHeader): Promise<NumberVoxels> {
  const count = header.rows * header.columns * header.samples * header.frames;
  return withItk((itk) => decodeFiles(path, itk, [header.path], count, header));
}

/** The values moved so that the smallest is 0, and scaled where their range needs more than 16 bits. */
function nonNegative(data: StoredVoxels): Uint16Array {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < data.length; i++) {
    const value = Number(data[i]);
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const factor = high - low > 65535 ? 65535 / (high - low) : 1;
  const out = new Uint16Array(data.length);
  for (let i = 0; i < data.length; i++) out[i] = Math.round((Number(data[i]) - low) * factor);
  return out;
}
