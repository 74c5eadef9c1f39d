import type { AugmentProbabilities } from '../../../../protocol/config/finetune/index.ts';
import type { Size3 } from '../../prepared/types.ts';
import { Random, type RandomKey } from '../../random.ts';
import type { Range } from '../options.ts';
import type { Matrix3 } from './samplePatch.ts';

/** nnU-Net's ranges (Isensee et al. 2021; batchgeneratorsv2). Values are normalised: their unit is about one deviation. */
export const ranges = {
  /** Degrees about each axis; only in plane for a flat patch or a picture. */
  rotation: 30,
  flatRotation: 180,
  scaling: [0.7, 1.4],
  /** batchgenerators calls this a variance, but uses it as the deviation. */
  noise: [0, 0.1],
  /** Voxels. */
  blur: [0.5, 1],
  brightness: [0.75, 1.25],
  contrast: [0.75, 1.25],
  /** Size of the coarse grid, relative. */
  lowResolution: [0.5, 1],
  gamma: [0.7, 1.5],
} as const;
/** Share of the channels that blur and low resolution change, if the image gets them. */
const perChannel = 0.5;
/** A patch whose sides differ by more than this factor is flat: it is rotated and scaled only in plane. */
const flatness = 3;

/** The changes of one patch. Null: no change. Lists have one entry per channel. */
export interface PairRecipe {
  /** Multiplies offsets from the centre: rotation and scaling. */
  readonly matrix: Matrix3 | null;
  readonly noise: number | null;
  readonly blur: readonly (number | null)[] | null;
  readonly brightness: readonly number[] | null;
  readonly contrast: readonly number[] | null;
  readonly lowResolution: readonly (number | null)[] | null;
  readonly invertedGamma: readonly number[] | null;
  readonly gamma: readonly number[] | null;
  readonly mirror: readonly [slices: boolean, height: boolean, width: boolean];
}

/** Each kind of change draws from a separate stream, so that disabling one does not affect the others. */
export function drawPairRecipe(
  probabilities: AugmentProbabilities,
  { patch, channels }: { readonly patch: Size3; readonly channels: number },
  key: RandomKey,
): PairRecipe {
  const happens = <T>(name: keyof AugmentProbabilities, draw: (random: Random) => T): T | null => {
    const random = new Random(...key, name);
    return random.bool(probabilities[name]) ? draw(random) : null;
  };
  const each = (range: Range) => (random: Random) => Array.from({ length: channels }, () => random.uniform(...range));
  const some = (range: Range) => (random: Random) =>
    Array.from({ length: channels }, () => {
      const amount = random.uniform(...range);
      return random.bool(perChannel) ? amount : null;
    });
  const aroundOne = (range: Range) => (random: Random) =>
    Array.from({ length: channels }, () => (random.bool() ? random.uniform(range[0], 1) : random.uniform(1, range[1])));
  const flat = Math.max(...patch) / patch[0] > flatness;
  const mirror = new Random(...key, 'mirror');
  const mirrored = () => mirror.bool(probabilities.mirror);
  const [slices, height, width] = [mirrored(), mirrored(), mirrored()];
  return {
    matrix: spatial(
      happens('rotation', (random) => anglesOf(flat, random)),
      happens('scaling', (random) => scaleOf(random)),
      flat,
    ),
    noise: happens('noise', (random) => random.uniform(...ranges.noise)),
    blur: happens('blur', some(ranges.blur)),
    brightness: happens('brightness', each(ranges.brightness)),
    contrast: happens('contrast', aroundOne(ranges.contrast)),
    lowResolution: happens('lowResolution', some(ranges.lowResolution)),
    invertedGamma: happens('invertedGamma', aroundOne(ranges.gamma)),
    gamma: happens('gamma', aroundOne(ranges.gamma)),
    mirror: [slices && patch[0] > 1, height, width],
  };
}

/** Radians about the axes of slices, height and width. */
function anglesOf(flat: boolean, random: Random): readonly [number, number, number] {
  const radians = (degrees: number) => (random.uniform(-degrees, degrees) * Math.PI) / 180;
  if (flat) return [radians(ranges.flatRotation), 0, 0];
  return [radians(ranges.rotation), radians(ranges.rotation), radians(ranges.rotation)];
}

/** Below 1, the image appears larger; that is as likely as smaller. */
function scaleOf(random: Random): number {
  const [low, high] = ranges.scaling;
  return random.bool() ? random.uniform(low, 1) : random.uniform(1, high);
}

function spatial(
  angles: readonly [number, number, number] | null,
  scale: number | null,
  flat: boolean,
): Matrix3 | null {
  if (angles === null && scale === null) return null;
  const [az, ay, ax] = angles ?? [0, 0, 0];
  const s = scale ?? 1;
  const about = (angle: number) => [Math.cos(angle), Math.sin(angle)] as const;
  const [[cz, sz], [cy, sy], [cx, sx]] = [about(az), about(ay), about(ax)];
  const aboutSlices: Matrix3 = [1, 0, 0, 0, cz, -sz, 0, sz, cz];
  const aboutHeight: Matrix3 = [cy, 0, sy, 0, 1, 0, -sy, 0, cy];
  const aboutWidth: Matrix3 = [cx, -sx, 0, sx, cx, 0, 0, 0, 1];
  const scaling: Matrix3 = [flat ? 1 : s, 0, 0, 0, s, 0, 0, 0, s];
  return product(product(product(aboutSlices, aboutHeight), aboutWidth), scaling);
}

function product(a: Matrix3, b: Matrix3): Matrix3 {
  const cell = (row: number, column: number) =>
    a[3 * row]! * b[column]! + a[3 * row + 1]! * b[3 + column]! + a[3 * row + 2]! * b[6 + column]!;
  const row = (i: number) => [cell(i, 0), cell(i, 1), cell(i, 2)] as const;
  return [...row(0), ...row(1), ...row(2)];
}
