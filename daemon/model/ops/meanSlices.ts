import { differentiable, div, mean, reshape, type Tensor, tile } from '../../engine/ops/index.ts';

/** The mean over the slices of a volume: x [B, n, C] → [B, C]. Gradient: dy / n for each slice. */
export function meanSlices(x: Tensor): Tensor {
  const [batch, slices, channels] = x.shape as [number, number, number];
  return differentiable(
    [x],
    () => mean(x, [1]),
    (dy) => [div(tile(reshape(dy, [batch, 1, channels]), [1, slices, 1]), slices)],
  );
}
