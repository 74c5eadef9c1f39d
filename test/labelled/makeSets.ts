import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { encode } from 'fast-png';
import type { Affine } from '../../daemon/data/formats/niftiGeometry.ts';
import { encodeNifti } from '../../daemon/data/formats/niftiWriter.ts';
import { Random } from '../../daemon/data/random.ts';

/** Tiny labelled data sets of known layouts, for tests. */

export type Shape3 = readonly [number, number, number];
/** A box of voxels: from and behind, along [slices, rows, columns]. */
export type Box = readonly [from: Shape3, to: Shape3];

export async function put(file: string, content: string | Uint8Array): Promise<string> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
  return file;
}

export interface VolumeSpec {
  readonly shape?: Shape3;
  readonly spacing?: Shape3;
  readonly affine?: Affine;
  /** Part of the seed: equal names give equal voxels. */
  readonly seed?: string;
  /** HU of the air around and of the body. */
  readonly range?: readonly [number, number];
}

const usual = { shape: [8, 12, 12], spacing: [3, 1, 1] } as const;

/** A CT-like volume: air with a noisy body in the middle. */
export function putVolume(file: string, spec: VolumeSpec = {}): Promise<string> {
  const { shape = usual.shape, spacing = usual.spacing, seed = file, range = [-1000, 50], affine } = spec;
  const random = new Random('made-up volume', seed);
  const [depth, height, width] = shape;
  const data = new Int16Array(depth * height * width);
  for (let i = 0; i < data.length; i++) {
    const [row, column] = [Math.floor(i / width) % height, i % width];
    const body = row > 0 && row < height - 1 && column > 0 && column < width - 1;
    data[i] = Math.round(range[body ? 1 : 0] + random.uniform(-20, 20) + (i === 0 ? -20 : 0));
  }
  return put(file, encodeNifti({ shape, spacing, data, ...(affine && { affine }) }));
}

/** A label map with a box for each value. */
export function putLabels(file: string, boxes: Readonly<Record<number, Box>>, spec: VolumeSpec = {}): Promise<string> {
  const { shape = usual.shape, spacing = usual.spacing, affine } = spec;
  return put(file, encodeNifti({ shape, spacing, data: labelVoxels(shape, boxes), ...(affine && { affine }) }));
}

export function labelVoxels(shape: Shape3, boxes: Readonly<Record<number, Box>>): Uint8Array {
  const data = new Uint8Array(shape[0] * shape[1] * shape[2]);
  for (const [value, [from, to]] of Object.entries(boxes))
    for (let z = from[0]; z < to[0]; z++)
      for (let y = from[1]; y < to[1]; y++)
        for (let x = from[2]; x < to[2]; x++) data[(z * shape[1] + y) * shape[2] + x] = Number(value);
  return data;
}

/** A noisy picture, grey or coloured. */
export function putPicture(file: string, { seed = file, color = false, size = 32 } = {}): Promise<string> {
  const random = new Random('made-up picture', seed);
  const channels = color ? 3 : 1;
  const data = Uint8Array.from({ length: size * size * channels }, () => random.int(256));
  return put(file, encode({ width: size, height: size, data, depth: 8, channels }));
}

/** A mask of 8 bits that is `value` in a square. */
export function putMask(
  file: string,
  [from, to]: readonly [number, number],
  { size = 32, value = 255 } = {},
): Promise<string> {
  const data = Uint8Array.from({ length: size * size }, (_, i) => {
    const inside = (n: number) => n >= from && n < to;
    return inside(Math.floor(i / size)) && inside(i % size) ? value : 0;
  });
  return put(file, encode({ width: size, height: size, data, depth: 8, channels: 1 }));
}

export interface NnunetSpec {
  readonly cases?: number;
  readonly tests?: number;
  readonly channels?: readonly string[];
  readonly labels?: Readonly<Record<string, number | readonly number[]>>;
  readonly volume?: VolumeSpec;
}

/** nnU-Net's layout: each label's box lies a voxel further to the left than the one before. */
export async function putNnunet(root: string, spec: NnunetSpec = {}): Promise<string> {
  const { cases = 4, tests = 0, channels = ['CT'], volume = {} } = spec;
  const { labels = { background: 0, liver: 1, spleen: 2 } } = spec;
  const values = [...new Set(Object.values(labels).flat())].filter((value) => value > 0);
  const boxes = Object.fromEntries(
    values.map((value, i): [number, Box] => [
      value,
      [
        [2, 3, 1 + (i % 8)],
        [6, 9, 2 + (i % 8)],
      ],
    ]),
  );
  const channel_names = Object.fromEntries(channels.map((name, i) => [i, name]));
  await put(
    join(root, 'dataset.json'),
    JSON.stringify({ channel_names, labels, numTraining: cases, file_ending: '.nii' }),
  );
  for (let n = 0; n < cases + tests; n++) {
    const [id, side] = [`case_${String(n + 1).padStart(3, '0')}`, n < cases ? 'Tr' : 'Ts'];
    for (const c of channels.keys())
      await putVolume(join(root, `images${side}`, `${id}_${String(c).padStart(4, '0')}.nii`), {
        ...volume,
        seed: `${id} ${c}`,
      });
    await putLabels(join(root, `labels${side}`, `${id}.nii`), boxes, volume);
  }
  return root;
}
