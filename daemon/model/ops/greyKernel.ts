import { differentiable, sum, type Tensor, tile } from '../../engine/ops/index.ts';

/**
 * A convolution's kernel for grey images, whose single channel stands for all: w [k, k, C, C'] → Σ over C, [k, k, 1, C'].
 * Gradient: dw is dy for each channel.
 */
export function greyKernel(kernel: Tensor): Tensor {
  const channels = kernel.shape[2]!;
  return differentiable(
    [kernel],
    () => sum(kernel, [2], true),
    (dy) => [tile(dy, [1, 1, channels, 1])],
  );
}
