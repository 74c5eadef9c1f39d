import { voxelCount } from '../../prepared/axes.ts';
import type { Patch, PreparedImage, Size3 } from '../../prepared/types.ts';
import { Random, type RandomKey } from '../../random.ts';
import { multiplyBrightness } from '../brightness3D.ts';
import { stretchContrast } from '../contrast3D.ts';
import { applyGamma } from '../gamma3D.ts';
import { addNoise } from '../noise3D.ts';
import { blurVolume } from './blurVolume.ts';
import { lowerResolution } from './lowerResolution.ts';
import { mirrorMaps } from './mirrorMaps.ts';
import type { PairRecipe } from './recipe.ts';
import { cutPatch, warpPatch } from './samplePatch.ts';

/**
 * Cuts a patch from an image with its labels and augments it like nnU-Net, in the same order: rotation and scaling, noise, blur,
 * brightness, contrast, low resolution, gamma of inverted values, gamma, mirroring. Labels change only with steps that move
 * voxels.
 * @param start first voxel of the patch, [D, H, W]; may lie outside
 * @param key names the noise
 */
export function makePatch(
  from: PreparedImage,
  { start, patch, recipe }: { readonly start: readonly number[]; readonly patch: Size3; readonly recipe: PairRecipe },
  key: RandomKey,
): Patch {
  const made = recipe.matrix ? warpPatch(from, start, patch, recipe.matrix) : cutPatch(from, start, patch);
  const count = voxelCount(patch);
  const channels = Array.from({ length: made.channels }, (_, c) => made.image.subarray(c * count, (c + 1) * count));
  const random = new Random(...key, 'noise values');
  for (const [c, values] of channels.entries()) {
    if (recipe.noise !== null) addNoise(values, recipe.noise, random);
    const sigma = recipe.blur?.[c];
    if (sigma) blurVolume(values, patch, sigma);
    if (recipe.brightness) multiplyBrightness(values, [recipe.brightness[c]!]);
    if (recipe.contrast) stretchContrast(values, [recipe.contrast[c]!]);
    const zoom = recipe.lowResolution?.[c];
    if (zoom) lowerResolution(values, patch, zoom);
    if (recipe.invertedGamma) {
      negate(values);
      applyGamma(values, [recipe.invertedGamma[c]!]);
      negate(values);
    }
    if (recipe.gamma) applyGamma(values, [recipe.gamma[c]!]);
  }
  mirrorMaps(made.image, made.channels, patch, recipe.mirror);
  if (made.labels) mirrorMaps(made.labels.data, made.labels.maps, patch, recipe.mirror);
  return made;
}

function negate(values: Float32Array): void {
  for (let i = 0; i < values.length; i++) values[i] = -values[i]!;
}
