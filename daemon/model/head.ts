import type { Tensor } from '../engine/ops/index.ts';
import { lastLayer, unitRows } from './ops/lastLayer.ts';
import { linear, linearGelu } from './ops/linear.ts';
import { lastLayerDirection } from './parameters.ts';
import { linearOf, type Weights } from './weights.ts';

/** The projection head up to its bottleneck: features [R, C] → unit vectors [R, bottleneck]. */
export function bottleneck(weights: Weights, features: Tensor): Tensor {
  const first = linearGelu(features, linearOf(weights, 'head.mlp.0'));
  const second = linearGelu(first, linearOf(weights, 'head.mlp.2'));
  return unitRows(linear(second, linearOf(weights, 'head.mlp.4')));
}

/**
 * The projection head's last layer: [R, bottleneck] → [R, out]. It is linear: the mean of its outputs is its output of
 * the mean, so slices of a volume are averaged before it.
 */
export function project(weights: Weights, bottlenecks: Tensor): Tensor {
  return lastLayer(bottlenecks, weights(lastLayerDirection));
}
