import { Random, type RandomKey } from '../random.ts';
import type { Volume } from '../types.ts';
import { blurSlices } from './blur3D.ts';
import { addBrightness, multiplyBrightness } from './brightness3D.ts';
import { stretchContrast } from './contrast3D.ts';
import { type Cuboid, cutOut, drawParentCrop, drawViewCrop, paddedCuboid } from './crop3D.ts';
import { flipVolume } from './flip3D.ts';
import { applyGamma } from './gamma3D.ts';
import { addNoise } from './noise3D.ts';
import type { Range, View3DOptions, Views3DOptions } from './options.ts';
import { resizeSlices } from './resizeSlices.ts';

/** Values of a view are HU divided by this number. */
export const intensityScale = 1024;

/**
 * The draws of one view, except the noise itself. An unused intensity change is null; otherwise it has one amount per slice, or
 * one for the whole volume. A sigma or an offset of 0 leaves the slice unchanged.
 */
export type Recipe3D = {
  crop: Cuboid;
  flip: readonly [slices: boolean, height: boolean, width: boolean];
  noiseDeviation: number;
  blurSigma: number[] | null;
  multiply: number[] | null;
  add: number[] | null;
  contrast: number[] | null;
  gamma: number[] | null;
};

/**
 * Makes the two views of a volume, like the UniMiSS reference implementation: padding, a shared parent crop, / 1024, then for
 * each view crop, flips, resizing of its slices, noise, blur, brightness, contrast and gamma.
 *
 * @param key names the sample and the epoch, for example [run seed, epoch, sample id]; the parent and each view draw from
 *   separate streams
 * @returns each [slices, height, width] of `options.size`, new arrays; values are HU / 1024 before intensity changes
 */
export function makeViews3D(volume: Volume, options: Views3DOptions, key: RandomKey): [Float32Array, Float32Array] {
  const padded = paddedCuboid(volume.shape, options.padTo);
  const parent = drawParentCrop(new Random(...key, 'parent'), padded, options);
  const make = (view: 0 | 1) => {
    const random = new Random(...key, 'view', view);
    return applyView3D(volume, drawView3D(random, parent, options, options.views[view]), options, random);
  };
  return [make(0), make(1)];
}

export function drawView3D(random: Random, parent: Cuboid, options: Views3DOptions, view: View3DOptions): Recipe3D {
  const count = options.draw === 'slice' ? options.size[0] : 1;
  /** With the volume's probability, `draw` for each slice. */
  const perSlice = (volume: number, draw: () => number) =>
    random.bool(volume) ? Array.from({ length: count }, draw) : null;
  return {
    crop: drawViewCrop(random, parent, options),
    flip: [random.bool(view.flip), random.bool(view.flip), random.bool(view.flip)],
    noiseDeviation: random.bool(view.noise.probability) ? random.uniform(...view.noise.deviation) : 0,
    blurSigma: perSlice(view.blur.volume, () =>
      random.bool(view.blur.slice) ? random.uniform(...view.blur.sigma) : 0,
    ),
    multiply: perSlice(view.multiply.volume, () => random.uniform(...view.multiply.factor)),
    add: perSlice(view.add.volume, () => (random.bool(view.add.slice) ? view.add.deviation * random.normal() : 0)),
    contrast: perSlice(view.contrast.volume, () => drawAroundOne(random, view.contrast.factor)),
    gamma: perSlice(view.gamma.volume, () => drawAroundOne(random, view.gamma.exponent)),
  };
}

/** Draws from below and above 1 with equal probability if the range has both; uniform on either side. */
export function drawAroundOne(random: Random, [low, high]: Range): number {
  if (low >= 1 || high <= 1) return random.uniform(low, high);
  return random.bool(0.5) ? random.uniform(low, 1) : random.uniform(1, high);
}

/** @param random the stream of the noise: the stream of the recipe, after its draws */
export function applyView3D(
  volume: Volume,
  recipe: Recipe3D,
  { size }: Pick<Views3DOptions, 'size'>,
  random: Random,
): Float32Array {
  const [slices, height, width] = size;
  const cropped = cutOut(volume, recipe.crop, intensityScale);
  flipVolume(cropped, recipe.crop.size, recipe.flip);
  const values = resizeSlices(cropped, recipe.crop.size, height, width);
  if (recipe.noiseDeviation > 0) addNoise(values, recipe.noiseDeviation, random);
  if (recipe.blurSigma) {
    const [sigma] = recipe.blurSigma;
    blurSlices(values, size, recipe.blurSigma.length === 1 ? new Array<number>(slices).fill(sigma!) : recipe.blurSigma);
  }
  if (recipe.multiply) multiplyBrightness(values, recipe.multiply);
  if (recipe.add) addBrightness(values, recipe.add);
  if (recipe.contrast) stretchContrast(values, recipe.contrast);
  if (recipe.gamma) applyGamma(values, recipe.gamma);
  return values;
}
