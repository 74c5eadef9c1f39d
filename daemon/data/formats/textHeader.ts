import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { UnimissError } from '../../../protocol/errors.ts';
import { readEnds } from './bytes.ts';
import { imageError } from './imageError.ts';
import { limits, maxInflation } from './limits.ts';
import type { Affine } from './niftiGeometry.ts';
import { fourDimensions, type NiftiTypeName } from './niftiHeader.ts';
import type { StoredGrid } from './storedVolume.ts';

/** A header of text (NRRD, MetaImage) as its reader understands it, and where its voxels are. */
export interface TextHeader {
  readonly grid: StoredGrid;
  readonly spacingKnown: boolean;
  readonly orientationNotice?: string | undefined;
  readonly volumes: number;
  /** The file with the voxels; the header's own where they follow it. */
  readonly dataFile: string;
  /** Where the voxels are compressed: the byte of `dataFile` at which the stream starts. */
  readonly compressedFrom?: number | undefined;
}

/** Bytes of a header that are read at most: those of segmentations hold a line for each property of each segment. */
const mostHeaderBytes = 2 ** 20;
const bytesOf: Record<NiftiTypeName, number> = {
  int8: 1,
  uint8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  uint64: 8,
  float32: 4,
  float64: 8,
};

/** The first bytes of a file as text, each byte a character, and the file's size. */
export async function readTextStart(path: string): Promise<{ text: string; size: number }> {
  const { head, size } = await readEnds(path, mostHeaderBytes, 0);
  return { text: head.toString('latin1'), size };
}

/**
 * Lines of a header, by their name in lower case without blanks. A name that occurs twice is refused: two readers could take
 * another one each.
 */
export class Fields {
  private readonly values = new Map<string, string>();

  constructor(readonly fail: (what: string, remedy?: string) => UnimissError) {}

  add(name: string, value: string): void {
    const key = name.toLowerCase().replace(/\s/g, '');
    if (this.values.has(key)) throw this.fail(`says “${printable(name)}” twice in its header`);
    this.values.set(key, value.trim());
  }

  /** The value under one of these names; undefined where there is none, or an empty one. Throws where two of them have one. */
  get(...names: string[]): string | undefined {
    const found = names.filter((name) => this.values.get(name) !== undefined);
    if (found.length > 1) throw this.fail(`says both “${found[0]}” and “${found[1]}” in its header`);
    return this.values.get(found[0] ?? '') || undefined;
  }

  /** The value that has to be there. */
  need(name: string): string {
    const value = this.get(name);
    if (value === undefined) throw this.fail(`has no “${name}” in its header`);
    return value;
  }

  /** So many numbers with blanks between; undefined where there is none under these names. */
  numbers(count: number, ...names: string[]): number[] | undefined {
    const text = this.get(...names);
    if (text === undefined) return undefined;
    const values = text.split(/\s+/).map(Number);
    if (values.length !== count || !values.every(Number.isFinite))
      throw this.fail(`has a header whose “${names[0]}” is not ${count} numbers`);
    return values;
  }
}

/** At most 40 characters of a header, none of which steers a terminal. */
export function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 40);
}

/** Three sizes within the limits. Throws what `fail` makes where they are not. */
export function checkedSizes(
  sizes: readonly number[],
  fail: Fields['fail'],
): readonly [i: number, j: number, k: number] {
  const [i = 0, j = 0, k = 0] = sizes;
  const text = sizes.join('×');
  if (sizes.length !== 3) throw fail(`is ${sizes.length}-D (${text}); only volumes of three dimensions are supported`);
  if (!sizes.every((n) => Number.isInteger(n) && n >= 1)) throw fail(`says that its size is ${text}`);
  if (Math.max(i, j, k) > limits.axis || i * j * k > limits.voxels)
    throw fail(`claims ${text} voxels, more than the limit of ${limits.voxels} (${limits.axis} along one axis)`);
  if (Math.min(i, j, k) < 2) throw fail(`is a single slice (${text})`, 'Save 2D images as PNG or JPEG.');
  return [i, j, k];
}

/** The type of voxels under its name in a format. */
export function checkedType(types: Readonly<Record<string, NiftiTypeName>>, name: string, fail: Fields['fail']) {
  const type = types[name];
  if (type === undefined) throw fail(`has voxels of type “${printable(name)}”; only plain numbers are supported`);
  return type;
}

/**
 * @param text all sizes, for messages
 * @param wanted the number of the volume that is taken; undefined: there may be only one
 */
export function checkVolumes(count: number, text: string, wanted: number | undefined, fail: Fields['fail']): void {
  if (!Number.isInteger(count) || count < 1 || count > 65536) throw fail(`says that its size is ${text}`);
  if (count > 1 && wanted === undefined)
    throw fail(`is 4-D (${text}); only volumes of three dimensions are supported`, fourDimensions);
}

/** An affine that a grid can have. */
export function checkedAffine(affine: Affine, fail: Fields['fail']): Affine {
  const defect = affineDefect(affine);
  if (defect !== undefined) throw fail(`has no usable orientation: it ${defect}`);
  return affine;
}

/** Why voxels cannot lie like this; undefined where they can. */
function affineDefect(affine: Affine): string | undefined {
  const column = (c: 0 | 1 | 2) => [affine[0][c], affine[1][c], affine[2][c]] as const;
  const lengths = [column(0), column(1), column(2)].map((v) => Math.hypot(...v));
  if (!affine.flat().every(Number.isFinite)) return 'holds values that are NaN or infinite';
  if (!lengths.every((mm) => mm > 1e-3 && mm < 1e3))
    return `has voxels of ${lengths.map((mm) => +mm.toPrecision(3)).join('×')} mm`;
  const [[a, b, c], [d, e, f], [g, h, i]] = affine;
  const cell = Math.abs(a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g));
  return cell / lengths.reduce((product, mm) => product * mm, 1) > 1e-6 ? undefined : 'has axes that lie in one plane';
}

/** Bytes before the voxels under this name; −1: as many as the voxels leave. */
export function skippedBytes(fields: Fields, name: string): number {
  const skip = Number(fields.get(name.toLowerCase().replace(/\s/g, '')) ?? 0);
  if (!Number.isInteger(skip) || skip < -1) throw fields.fail(`has a “${name}” that is no number of bytes`);
  return skip;
}

/**
 * Where the voxels are: file, first byte, and bytes from there.
 * @param from name of a detached file, undefined where they follow the header; end of the header, size of its file
 */
export async function voxelsOf(
  path: string,
  from: { readonly detached: string | undefined; readonly headerEnd: number; readonly fileSize: number },
): Promise<{ dataFile: string; start: number; stored: number }> {
  const { detached, headerEnd, fileSize } = from;
  if (detached === undefined) return { dataFile: path, start: headerEnd, stored: fileSize - headerEnd };
  const dataFile = await detachedFile(path, detached);
  return { dataFile, start: 0, stored: (await stat(dataFile)).size };
}

/**
 * The file with the voxels of a detached header: a name in the header's own folder, and after links a file there too.
 * @throws UnimissError('data') where it lies elsewhere
 */
async function detachedFile(path: string, name: string): Promise<string> {
  const outside = imageError(path, `keeps its voxels in a file outside its own folder (“${printable(name)}”)`, {
    remedy: 'Put both files into one folder, and the name alone into the header.',
  });
  if (name !== basename(name) || /^\.{0,2}$/.test(name) || name.includes('\\') || name.includes('\0')) throw outside;
  const file = join(dirname(path), name);
  const [folder, real] = await Promise.all([realpath(dirname(path)), realpath(file)]).catch((error: unknown) => {
    throw imageError(path, `keeps its voxels in “${printable(name)}”, which is missing or cannot be read`, {
      remedy: 'Put the file with the voxels beside the header.',
      cause: error,
    });
  });
  // A link from the header to somewhere else leads the data along: what counts is where the header itself lies.
  const home = dirname(await realpath(path));
  if (dirname(real) !== folder && dirname(real) !== home) throw outside;
  return file;
}

/** Bytes of all voxels that a header claims. */
export function claimedBytes({ grid, volumes }: Pick<TextHeader, 'grid' | 'volumes'>): number {
  const [i, j, k] = grid.size;
  return i * j * k * volumes * bytesOf[grid.type as NiftiTypeName];
}

/**
 * Compares what a header claims with what its data can hold.
 * @param available bytes of the data as they are stored
 */
export function checkClaim(path: string, header: TextHeader, available: number, compressed: boolean): void {
  const claimed = claimedBytes(header);
  if (claimed > limits.voxels * 8)
    throw imageError(path, `claims ${claimed} bytes of voxels, more than the limit of ${limits.voxels * 8}`);
  const most = compressed ? available * maxInflation : available;
  if (most >= claimed) return;
  const held = compressed ? `${available} compressed bytes cannot hold` : `its data of ${available} bytes do not hold`;
  throw imageError(path, `is truncated, or its header lies: it claims ${claimed} bytes, which ${held}`, {
    remedy: 'Copy or download the file again.',
  });
}
