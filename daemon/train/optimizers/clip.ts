import { add, div, minimum, mul, norm as normOf, type Tensor } from '../../engine/ops/index.ts';

/** g · min(1, limit / (‖g‖ + 1e-6)) for one parameter's gradient, in its shape, and its norm ‖g‖ before, []. */
export function clip(gradient: Tensor, limit: number): { clipped: Tensor; norm: Tensor } {
  const norm = normOf(gradient);
  const factor = minimum(1, div(limit, add(norm, 1e-6)));
  return { clipped: mul(gradient, factor), norm };
}
