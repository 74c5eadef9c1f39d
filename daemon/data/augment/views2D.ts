import { Random, type RandomKey } from '../random.ts';
import type { Image2D } from '../types.ts';
import { blurImage } from './blur2D.ts';
import { flipHorizontally } from './flip2D.ts';
import { toGrey } from './grey.ts';
import { applyJitter, drawJitter, type JitterStep } from './jitter.ts';
import type { View2DOptions, Views2DOptions } from './options.ts';
import { type Box, randomCropBox } from './randomCrop.ts';
import { resizedCrop } from './resizedCrop.ts';

/** The draws of one view. `blurSigma` in pixels of the view, 0 for none. */
export type Recipe2D = { box: Box; flip: boolean; jitter: JitterStep[]; grey: boolean; blurSigma: number };

/**
 * Makes the two views of an image, like the UniMiSS reference implementation: random resized crop, flip, colour jitter, grey,
 * blur, in this order on 8 bits, then values 0–1.
 *
 * @param key names the sample and the epoch, for example [run seed, epoch, sample id]; each view draws from a separate stream
 * @returns each [height, width, 3], new arrays
 */
export function makeViews2D(image: Image2D, options: Views2DOptions, key: RandomKey): [Float32Array, Float32Array] {
  const make = (view: 0 | 1) => {
    const recipe = drawView2D(new Random(...key, 'view', view), image, options, options.views[view]);
    return applyView2D(image, recipe, options, options.views[view]);
  };
  return [make(0), make(1)];
}

export function drawView2D(
  random: Random,
  { height, width }: { height: number; width: number },
  { area, aspect }: Views2DOptions,
  view: View2DOptions,
): Recipe2D {
  return {
    box: randomCropBox(random, height, width, area, aspect),
    flip: random.bool(view.flip),
    jitter: random.bool(view.jitter.probability) ? drawJitter(random, view.jitter) : [],
    grey: random.bool(view.grey),
    blurSigma: random.bool(view.blur.probability) ? random.uniform(...view.blur.sigma) : 0,
  };
}

export function applyView2D(
  image: Image2D,
  recipe: Recipe2D,
  { size: [height, width] }: Views2DOptions,
  view: View2DOptions,
): Float32Array {
  const pixels = resizedCrop(image, recipe.box, height, width);
  if (recipe.flip) flipHorizontally(pixels, height, width);
  applyJitter(pixels, recipe.jitter);
  if (recipe.grey) toGrey(pixels);
  if (recipe.blurSigma > 0) blurImage(pixels, height, width, recipe.blurSigma, view.blur.kernel);
  const values = new Float32Array(pixels.length);
  for (let i = 0; i < values.length; i++) values[i] = pixels[i]! / 255;
  return values;
}
