import { everyNth, type Tensor } from '../../../engine/ops/index.ts';
import type { Scale } from '../../../model/heads/segmentation.ts';
import { total } from '../../../model/ops/total.ts';
import { type LossParts, type ScaleLossOptions, scaleLoss } from './scaleLoss.ts';

/** Weights of the scales under deep supervision, the finest first: each half of the one before, the coarsest 0; normalised (nnU-Net). */
export function supervisionWeights(scales: number): number[] {
  const raw = Array.from({ length: scales }, (_, i) => (i === scales - 1 ? 0 : 0.5 ** i));
  const all = raw.reduce((a, b) => a + b, 0);
  return raw.map((weight) => weight / all);
}

/**
 * Labels of a coarser scale: that of the image's voxel nearest to the cell's centre, as nnU-Net samples them
 * (of the two nearest the further one).
 * @param labels int32 [B, …size]
 */
export function labelsAt(labels: Tensor, factors: readonly number[]): Tensor {
  if (factors.every((factor) => factor === 1)) return labels;
  return everyNth(labels, [0, ...factors.map((factor) => Math.floor(factor / 2))], [1, ...factors]);
}

/**
 * Dice + cross-entropy (Isensee et al. 2021), summed over the scales by their weights; scales of weight 0 are not computed.
 * @param scales as `segment` gives them
 * @param labels int32 [B, …size]
 * @param weights one for each scale
 * @param told gets the parts of the finest scale; see `scaleLoss`
 * @returns []
 */
export function segmentationLoss(
  scales: readonly Scale[],
  labels: Tensor,
  weights: readonly number[],
  options: ScaleLossOptions,
  told?: (parts: LossParts) => void,
): Tensor {
  const losses = scales.flatMap((scale, i) => {
    const weight = weights[i] ?? 0;
    if (weight === 0) return [];
    return scaleLoss(scale, labelsAt(labels, scale.factors), weight, options, i === 0 ? told : undefined);
  });
  return total(losses);
}
