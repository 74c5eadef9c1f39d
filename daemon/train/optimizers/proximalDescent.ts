import { scalar, type Tensor } from '@tensorflow/tfjs-core';
import { rawOp, type Variable } from '../../engine/index.ts';

/** p ← (p − α δ) / (1 + α λ) in place. */
export function proximalDescent(
  value: Variable,
  alpha: Tensor | number,
  lambda: Tensor,
  delta: Tensor,
): Tensor | undefined {
  const rate = typeof alpha === 'number' ? scalar(alpha) : alpha;
  return rawOp(
    'ResourceApplyProximalGradientDescent',
    [value.handle, rate, scalar(0), lambda, delta],
    {},
    { outputs: 0 },
  );
}
