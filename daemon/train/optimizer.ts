import { minimum, mul, scalar, sqrt, sub, type Tensor } from '@tensorflow/tfjs-core';
import { controlled, currentEngine, rawOp, type Variable } from '../engine/index.ts';

export interface AdamOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

/** What AdamW wants to know in each step: inputs of the compiled step, made by `adamScalars`. */
export const adamInputs = ['stepSize', 'epsilon', 'decay', 'beta1', 'beta2'] as const;
export type AdamInputs<T> = Readonly<Record<(typeof adamInputs)[number], T>>;

/**
 * Adam's numbers for update `count` (from 1) of a group of parameters. TensorFlow adds ε before the bias correction, PyTorch
 * (and Kingma and Ba 2015, algorithm 1) after it:
 *
 *     α m̂ / (√v̂ + ε) = α √(1 − β₂ᵗ) / (1 − β₁ᵗ) · m / (√v + ε √(1 − β₂ᵗ))
 *
 * so step size and ε are given in that form. Where `frozen`, nothing moves: β = 1 keeps the moments, step and decay are 0.
 */
export function adamScalars(
  { beta1, beta2, epsilon }: AdamOptions,
  update: { learningRate: number; weightDecay: number; count: number; frozen?: boolean },
): AdamInputs<number> {
  if (update.frozen) return { stepSize: 0, epsilon, decay: 0, beta1: 1, beta2: 1 };
  // The update reckons with betas rounded to float32: so must the correction, or 1 − β₂ would be off by 1e-5.
  const correction = Math.sqrt(1 - Math.fround(beta2) ** update.count);
  return {
    stepSize: (update.learningRate * correction) / (1 - Math.fround(beta1) ** update.count),
    epsilon: epsilon * correction,
    decay: update.learningRate * update.weightDecay,
    beta1,
    beta2,
  };
}

/** g · min(1, limit / (‖g‖ + 1e-6)) for one parameter's gradient, and its norm ‖g‖ before. */
export function clip(gradient: Tensor, limit: number): { clipped: Tensor; norm: Tensor } {
  const norm = sqrt(mul(rawOp('L2Loss', [gradient]), 2)); // L2Loss is half the sum of squares, without a temporary
  const factor = minimum(1, rawOp('RealDiv', [scalar(limit), rawOp('AddV2', [norm, scalar(1e-6)])]));
  return { clipped: mul(gradient, factor), norm };
}

/**
 * AdamW (Loshchilov and Hutter 2019) in place: p ← (1 − decay) p, then p ← p − step · m / (√v + ε).
 * @param decays false for parameters that are spared weight decay
 * @returns the update, for `controlled`
 */
export function adamW(
  parameter: { readonly value: Variable; readonly firstMoment: Variable; readonly secondMoment: Variable },
  gradient: Tensor,
  inputs: AdamInputs<Tensor>,
  decays: boolean,
): Tensor | undefined {
  const { value, firstMoment, secondMoment } = parameter;
  const decayed = decays ? shrink(value, inputs.decay, gradient) : undefined;
  const none = scalar(0); // powers of the betas: the correction is in the step size
  return controlled([decayed], () =>
    rawOp(
      'ResourceApplyAdam',
      [
        value.handle,
        firstMoment.handle,
        secondMoment.handle,
        none,
        none,
        inputs.stepSize,
        inputs.beta1,
        inputs.beta2,
        inputs.epsilon,
        gradient,
      ],
      {},
      { outputs: 0 },
    ),
  );
}

/**
 * p ← (1 − share) p in place, after `like` (of p's shape) is known.
 * TensorFlow has no op for this alone. That of proximal descent computes (p − α δ) / (1 + α λ): with an α so small that α δ
 * vanishes beside p, and λ so large that α λ = share / (1 − share), it is what is wanted. GPUs lack it.
 */
function shrink(value: Variable, share: Tensor, like: Tensor): Tensor | undefined {
  if (currentEngine().options.device !== 'cpu')
    return controlled([like], () =>
      rawOp(
        'AssignSubVariableOp',
        [value.handle, mul(value.read(), share)],
        { dtype: { type: 'float32' } },
        { outputs: 0 },
      ),
    );
  const alpha = 1e-30;
  const lambda = mul(rawOp('RealDiv', [share, sub(1, share)]), 1 / alpha);
  return proximalDescent(value, alpha, lambda, like);
}

/**
 * average ← m · average + (1 − m) · value in place, m in (0, 1]: the teacher follows the student.
 * As proximal descent with α = −(1 − m) / m, λ = −1, δ = value: (a + (1 − m) / m · v) / (1 + (1 − m) / m).
 */
export function follow(average: Variable, value: Tensor, momentum: Tensor): Tensor | undefined {
  if (currentEngine().options.device !== 'cpu') {
    const step = controlled([value], () => mul(sub(value, average.read()), sub(1, momentum)));
    return rawOp('AssignAddVariableOp', [average.handle, step], { dtype: { type: 'float32' } }, { outputs: 0 });
  }
  const alpha = sub(1, rawOp('Reciprocal', [momentum]));
  return proximalDescent(average, alpha, scalar(-1), value);
}

/** p ← (p − α δ) / (1 + α λ) in place. */
function proximalDescent(value: Variable, alpha: Tensor | number, lambda: Tensor, delta: Tensor): Tensor | undefined {
  const rate = typeof alpha === 'number' ? scalar(alpha) : alpha;
  return rawOp(
    'ResourceApplyProximalGradientDescent',
    [value.handle, rate, scalar(0), lambda, delta],
    {},
    { outputs: 0 },
  );
}
