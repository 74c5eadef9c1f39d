import { add, concat, differentiable, mean, mul, reshape, rows, type Tensor, tile } from '../../engine/ops/index.ts';
import { encode } from '../backbone.ts';
import { backbonePass, type DownstreamPass } from '../downstream.ts';
import { cells } from '../geometry.ts';
import { layerNorm } from '../ops/layerNorm.ts';
import { linear } from '../ops/linear.ts';
import { linearOf, normOf } from '../weights.ts';

/**
 * The mean of an image's class token and the average of its patches.
 * @param x rows [B (1 + n), C], class rows first
 * @returns [B, C]
 *
 * Gradient: dy / 2 for the class token, dy / 2n for each patch.
 */
export function pool(x: Tensor, batch: number, n: number): Tensor {
  const channels = x.shape[1]!;
  return differentiable(
    [x],
    () => {
      const average = mean(reshape(rows(x, batch, batch * n), [batch, n, channels]), [1]);
      return mul(add(rows(x, 0, batch), average), 0.5);
    },
    (dy) => {
      const dPatch = tile(reshape(mul(dy, 0.5 / n), [batch, 1, channels]), [1, n, 1]);
      return [concat([mul(dy, 0.5), reshape(dPatch, [batch * n, channels])], 0)];
    },
  );
}

/**
 * Classification by the encoder alone: LayerNorm on the last stage's tokens; the logits are the mean of what the linear head
 * gives for the class token and for the average of the patches. The head is linear, so that mean is taken before it.
 * @param images [B, …size, channels]
 * @returns logits [B, outputs]
 */
export function classifyImages(pass: DownstreamPass, images: Tensor): Tensor {
  const { classTokens, patches } = encode(backbonePass(pass), images);
  const [batch, channels] = classTokens.shape as [number, number];
  const n = cells(patches.shape.slice(1, -1));
  const all = concat([classTokens, reshape(patches, [batch * n, channels])], 0);
  const normed = layerNorm(all, normOf(pass.weights, 'norm_new'), 1e-5);
  return linear(pool(normed, batch, n), linearOf(pass.weights, 'head_new'));
}
