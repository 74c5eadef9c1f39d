import type { Modality } from '../../../protocol/modality.ts';
import { concat, reshape, slice, split, type Tensor } from '../../engine/ops/index.ts';
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

/** What a network makes of a batch of views; each by the output it belongs to. */
export interface NetworkPass {
  /** [2B, out] */
  readonly outputs: Outputs;
  /** Unit vectors before the head's last layer [2B, bottleneck]; of slices the mean over those of a volume. */
  readonly bottlenecks: Outputs;
  /** The backbone's features [2B, C]; of slices the mean over those of a volume. */
  readonly features: Outputs;
}

/** The slices of volumes [2B, D, H, W, 1] that pass as pictures: every `stride`-th, [2B · D / stride, H, W, 1]. */
export function slicesOf(views: Tensor, stride: number): Tensor {
  const [count, depth, height, width] = views.shape as [number, number, number, number];
  if (stride === 1) return reshape(views, [count * depth, height, width, 1]);
  const groups = reshape(views, [count * (depth / stride), stride, height * width]);
  const first = slice(groups, [0, 0, 0], [count * (depth / stride), 1, height * width]);
  return reshape(first, [count * (depth / stride), height, width, 1]);
}

/**
 * Runs backbone and head on a batch of views. 2D, views [2B, H, W, 3]: outputs of the images. 3D, views [2B, D, H, W, 1]: outputs
 * of the volumes, and of their slices as grey pictures, averaged over the slices of a volume. The head's last layer is linear, so
 * averaging comes before it, and volumes and slices pass it together.
 * @param sliceStride distance between the slices that pass; divides D
 */
export function run(network: Network, phase: Modality, views: Tensor, sliceStride: number): NetworkPass {
  const { config, weights } = network;
  const pass = (modality: Modality, images: Tensor) =>
    backbone({ config, weights, modality, stochasticDepth: network.stochasticDepth?.(modality) }, images);
  const features = pass(phase, views);
  if (phase === '2D') {
    const image = bottleneck(weights, features);
    return { features: { image: features }, bottlenecks: { image }, outputs: { image: project(weights, image) } };
  }

  const count = views.shape[0]!;
  const sliceFeatures = pass('2D', slicesOf(views, sliceStride));
  const depth = sliceFeatures.shape[0]! / count;
  const all = bottleneck(weights, concat([features, sliceFeatures], 0));
  const [ofVolumes, ofSlices] = split(all, [count, count * depth] as const);
  const perVolume = meanSlices(reshape(ofSlices, [count, depth, config.head.bottleneck]));
  const outputs = project(weights, concat([ofVolumes, perVolume], 0));
  const [volume, slices] = split(outputs, [count, count] as const);
  const meanFeatures = meanSlices(reshape(sliceFeatures, [count, depth, sliceFeatures.shape[1]!]));
  return {
    outputs: { volume, slices },
    bottlenecks: { volume: ofVolumes, slices: perVolume },
    features: { volume: features, slices: meanFeatures },
  };
}
