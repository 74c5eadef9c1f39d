import { z } from 'zod';
import { share } from '../shared.ts';

const probability = (value: number, what: string) => share.default(value).describe(`Probability of ${what}`);

/** Probabilities of the changes of training images; their ranges are nnU-Net's (daemon/data/augment/pairs/recipe.ts). */
export const augment = z
  .strictObject({
    rotation: probability(0.2, 'a rotation by up to 30° about each axis (180° in 2D and, in plane, for flat patches).'),
    scaling: probability(0.2, 'a scaling by 0.7–1.4.'),
    noise: probability(0.1, 'Gaussian noise with a variance of up to 0.1.'),
    blur: probability(0.2, 'a Gaussian blur with a sigma of 0.5–1 voxels. Then half of the channels are blurred.'),
    brightness: probability(0.15, 'multiplying all values by 0.75–1.25.'),
    contrast: probability(0.15, 'stretching the contrast by 0.75–1.25.'),
    lowResolution: probability(0.25, 'a simulated lower resolution, 0.5–1. Then half of the channels get it.'),
    gamma: probability(0.3, 'a gamma of 0.7–1.5.'),
    invertedGamma: probability(0.1, 'the same gamma on inverted values.'),
    mirror: probability(0.5, 'mirroring, for each axis. Use 0 where left and right have different labels.'),
  })
  .describe('Random changes of training images, as in nnU-Net. Images for validation are not changed.')
  .meta({ source: 'nnU-Net (Isensee et al. 2021), methods' });
export type AugmentProbabilities = z.output<typeof augment>;
