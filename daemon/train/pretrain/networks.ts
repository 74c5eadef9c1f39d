import type { Modality } from '../../../protocol/modality.ts';
import { concat, reshape, split, type Tensor } from '../../engine/ops/index.ts';
import { backbone, type StochasticDepth } from '../../model/backbone.ts';
import type { MitConfig } from '../../model/config.ts';
import { bottleneck, project } from '../../model/head.ts';
import { meanSlices } from '../../model/ops/meanSlices.ts';
import type { Weights } from '../../model/weights.ts';
import type { Outputs } from './loss.ts';

/** One of the two networks. */
export interface Network {
  readonly config: MitConfig;
  readonly weights: Weights;
  /** Stochastic depth for a pass over volumes or pictures; absent in the teacher. */
  readonly stochasticDepth?: (modality: Modality) => StochasticDepth;
}

/**
 * Runs backbone and head on a batch of views. 2D, views [2B, H, W, 3]: outputs of the images. 3D, views [2B, D, H, W, 1]: outputs
 * of the volumes, and of their slices as pictures of D · 2B grey images, averaged over the slices of a volume. The head's last
 * layer is linear, so averaging comes before it, and volumes and slices pass it together.
 * @returns outputs [2B, out] each, and the backbone's features of the views [2B, C]
 */
export function run(network: Network, phase: Modality, views: Tensor): { outputs: Outputs; features: Tensor } {
  const { config, weights } = network;
  const pass = (modality: Modality, images: Tensor) =>
    backbone({ config, weights, modality, stochasticDepth: network.stochasticDepth?.(modality) }, images);
  const features = pass(phase, views);
  if (phase === '2D') return { features, outputs: { image: project(weights, bottleneck(weights, features)) } };

  const [count, depth, height, width] = views.shape as [number, number, number, number];
  const sliceFeatures = pass('2D', reshape(views, [count * depth, height, width, 1]));
  const all = bottleneck(weights, concat([features, sliceFeatures], 0));
  const [ofVolumes, ofSlices] = split(all, [count, count * depth] as const);
  const perVolume = meanSlices(reshape(ofSlices, [count, depth, config.head.bottleneck]));
  const outputs = project(weights, concat([ofVolumes, perVolume], 0));
  const [volume, slices] = split(outputs, [count, count] as const);
  return { features, outputs: { volume, slices } };
}
