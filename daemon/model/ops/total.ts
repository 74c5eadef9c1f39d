import { add, differentiable, type Tensor } from '../../engine/ops/index.ts';

/** The sum of scalars; its gradient is 1 for each. */
export function total(losses: readonly Tensor[]): Tensor {
  return differentiable(
    losses,
    () => losses.reduce((a, b) => add(a, b)),
    (dy) => losses.map(() => dy),
  );
}
