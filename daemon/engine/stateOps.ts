import type { Tensor } from '@tensorflow/tfjs-core';
import { currentSession } from './current.ts';
import { div, mul, reciprocal, sub } from './ops/arithmetic.ts';
import { scalar } from './ops/constants.ts';
import { controlled, rawOp } from './rawOp.ts';
import type { Effect, Variable } from './variable.ts';

/**
 * Updates of variables in place. Each returns its effect, for which a later read of the variable in the same step waits
 * (`variable.read([effect])`). Only this and data order the updates of a variable within a step.
 */

/** Scalars of an Adam update, [] each. */
export interface AdamScalars {
  /** Step size, including the bias correction. */
  readonly stepSize: Tensor;
  /** ε, added to √v: the bias correction is not in v. */
  readonly epsilon: Tensor;
  readonly beta1: Tensor;
  readonly beta2: Tensor;
}

export interface AdamVariables {
  readonly value: Variable;
  readonly firstMoment: Variable;
  readonly secondMoment: Variable;
}

/**
 * Adam (Kingma and Ba 2015) in place: m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², p ← p − step · m / (√v + ε).
 * @param gradient g, in the shape of the variables
 * @param first effects that it waits for
 */
export function adam(
  { value, firstMoment, secondMoment }: AdamVariables,
  gradient: Tensor,
  { stepSize, epsilon, beta1, beta2 }: AdamScalars,
  first: readonly Effect[] = [],
): Effect {
  const none = scalar(0); // powers of the betas: the step size contains the correction
  const state = [value.handle, firstMoment.handle, secondMoment.handle];
  return controlled(first, () =>
    rawOp('ResourceApplyAdam', [...state, none, none, stepSize, beta1, beta2, epsilon, gradient], {}, { outputs: 0 }),
  );
}

/** Gradient descent in place: p ← p − rate · g. @param rate [] @param gradient g, in the shape of p @param first effects that it waits for */
export function sgd(value: Variable, gradient: Tensor, rate: Tensor, first: readonly Effect[] = []): Effect {
  return controlled(first, () =>
    rawOp('ResourceApplyGradientDescent', [value.handle, rate, gradient], {}, { outputs: 0 }),
  );
}

/**
 * Gradient descent with momentum (as in PyTorch) in place: v ← m v + g, p ← p − rate · v, or with Nesterov's p ← p − rate · (g + m v).
 * @param gradient g, in the shape of the variables
 * @param scalars [] each
 */
export function momentum(
  value: Variable,
  velocity: Variable,
  gradient: Tensor,
  scalars: { readonly rate: Tensor; readonly momentum: Tensor },
  nesterov: boolean,
): Effect {
  const inputs = [value.handle, velocity.handle, scalars.rate, gradient, scalars.momentum];
  return rawOp('ResourceApplyMomentum', inputs, { use_nesterov: { bool: nesterov } }, { outputs: 0 });
}

/** sum ← sum + addend in place. @param addend in the shape of the variable */
export function accumulate(sum: Variable, addend: Tensor): Effect {
  return rawOp('AssignAddVariableOp', [sum.handle, addend], float32, { outputs: 0 });
}

/**
 * p ← (1 − share) p in place, once `like` is known. TensorFlow has no op for this alone. The op of proximal descent computes (p −
 * α δ) / (1 + α λ). With α so small that α δ vanishes beside p, and λ so large that α λ = share / (1 − share), this is the wanted
 * update. GPUs lack the op.
 * @param share [], 0 ≤ share < 1
 * @param like a tensor of p's shape; its values do not matter
 */
export function decay(value: Variable, share: Tensor, like: Tensor): Effect {
  if (!currentSession().platform.traits.proximalDescent)
    return controlled([like], () =>
      rawOp('AssignSubVariableOp', [value.handle, mul(value.read(), share)], float32, { outputs: 0 }),
    );
  const alpha = 1e-30;
  const lambda = mul(div(share, sub(1, share)), 1 / alpha);
  return proximalDescent(value, scalar(alpha), lambda, like);
}

/**
 * average ← m · average + (1 − m) · value in place, as a teacher follows its student. Uses proximal descent with α = −(1 − m) /
 * m, λ = −1, δ = value: (a + (1 − m) / m · v) / (1 + (1 − m) / m).
 * @param value in the shape of the variable
 * @param momentum m, [], in (0, 1]
 */
export function follow(average: Variable, value: Tensor, momentum: Tensor): Effect {
  if (!currentSession().platform.traits.proximalDescent) {
    const step = controlled([value], () => mul(sub(value, average.read()), sub(1, momentum)));
    return rawOp('AssignAddVariableOp', [average.handle, step], float32, { outputs: 0 });
  }
  const alpha = sub(1, reciprocal(momentum));
  return proximalDescent(average, alpha, scalar(-1), value);
}

const float32 = { dtype: { type: 'float32' } } as const;

/** p ← (p − α δ) / (1 + α λ) in place. @param alpha α, [] @param lambda λ, [] @param delta δ, in the shape of p */
function proximalDescent(value: Variable, alpha: Tensor, lambda: Tensor, delta: Tensor): Effect {
  const inputs = [value.handle, alpha, scalar(0), lambda, delta];
  return rawOp('ResourceApplyProximalGradientDescent', inputs, {}, { outputs: 0 });
}
