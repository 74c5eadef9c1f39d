import { mul, scalar, sub, type Tensor } from '@tensorflow/tfjs-core';
import { controlled, currentSession, rawOp, type Variable } from '../../engine/index.ts';
import { proximalDescent } from './proximalDescent.ts';

/**
 * average ← m · average + (1 − m) · value in place, m in (0, 1]: the teacher follows the student.
 * As proximal descent with α = −(1 − m) / m, λ = −1, δ = value: (a + (1 − m) / m · v) / (1 + (1 − m) / m).
 */
export function follow(average: Variable, value: Tensor, momentum: Tensor): Tensor | undefined {
  if (currentSession().options.device !== 'cpu') {
    const step = controlled([value], () => mul(sub(value, average.read()), sub(1, momentum)));
    return rawOp('AssignAddVariableOp', [average.handle, step], { dtype: { type: 'float32' } }, { outputs: 0 });
  }
  const alpha = sub(1, rawOp('Reciprocal', [momentum]));
  return proximalDescent(average, alpha, scalar(-1), value);
}
