import { reshape, type Tensor } from '../../engine/ops/index.ts';
import { decodeMaps, encodeMaps } from '../backbone.ts';
import { backbonePass, type DownstreamPass, supervisionName } from '../downstream.ts';
import type { ClassifierParameters } from '../ops/classifier.ts';
import { convBlock } from '../ops/convBlock.ts';
import { layerNorm } from '../ops/layerNorm.ts';
import { upsample } from '../ops/upsample.ts';
import { linearOf, normOf } from '../weights.ts';

/** A map and the classifier of its cells. */
export interface Scale {
  /** [B, …grid, C] */
  readonly map: Tensor;
  readonly classifier: ClassifierParameters;
  /** Cells of the image along each axis that a cell of the logits covers. */
  readonly factors: readonly number[];
  /** Whether the logits are doubled in the plane to reach `factors`: the finest ones are. */
  readonly doubled: boolean;
}

/**
 * Segmentation: encoder and decoder without class tokens; after the decoder LayerNorm, a transposed convolution to the grid of the stem,
 * the stem's map added, a convolution block. Every map has a classifier (deep supervision), the last one two: one for its own grid, one
 * whose logits are enlarged to the image.
 * @param images [B, …size, channels]
 * @returns the scales, the finest first: the image's, the stem's, then the decoder's stages
 */
export function segment(pass: DownstreamPass, images: Tensor): Scale[] {
  const { weights } = pass;
  const inner = backbonePass(pass);
  const encoded = encodeMaps(inner, images);
  const decoded = decodeMaps(inner, encoded);
  const last = decoded.at(-1)!;
  const grid = last.shape.slice(1, -1);
  const batch = last.shape[0]!;
  const normed = layerNorm(reshape(last, [-1, last.shape.at(-1)!]), normOf(weights, 'norm'), 1e-5);
  const enlarging = linearOf(weights, 'transposeconv_stage3');
  const joined = upsample(normed, enlarging, { batch, grid }, encoded.stem);
  const block = { weight: weights('stage3_de.conv.weight'), norm: normOf(weights, 'stage3_de.norm') };
  const strides = grid.map(() => 1);
  const finest = convBlock(joined, block, strides, { pieceSize: pass.pieceSize });
  const size = images.shape.slice(1, -1);
  const factorsOf = (map: Tensor) => size.map((length, axis) => length / map.shape[1 + axis]!);
  const scaleOf = (map: Tensor, name: string): Scale => ({
    map,
    classifier: linearOf(weights, name),
    factors: factorsOf(map),
    doubled: false,
  });
  const maps = [...decoded.slice(0, -1), reshape(normed, last.shape), finest];
  return [
    { ...scaleOf(finest, 'cls_conv'), factors: size.map(() => 1), doubled: true },
    ...maps.map((map, scale) => scaleOf(map, supervisionName(scale))).reverse(),
  ];
}
