import {
  add,
  constant,
  differentiable,
  div,
  exp,
  isAtLeast,
  logSoftmax,
  maximum,
  mul,
  neg,
  oneHot,
  sigmoid,
  softplus,
  sub,
  sum,
  type Tensor,
} from '../../../engine/ops/index.ts';

export interface ClassificationLossOptions {
  /** Weight of each class, [K]; default: 1 each. */
  readonly classWeights?: readonly number[];
  /** Share of an image's label that goes to all classes alike (Szegedy et al. 2016); of exclusive classes only. */
  readonly labelSmoothing: number;
}

/**
 * Softmax cross-entropy of one class an image, with class weights w and label smoothing ε as PyTorch has them:
 * −Σ t log p / Σ w_y with t = w ((1 − ε) y + ε / K).
 * @param logits [B, K]
 * @param labels int32 [B]
 * @returns []
 *
 * Gradient: (p Σ t − t) / Σ w_y.
 */
export function softmaxLoss(logits: Tensor, labels: Tensor, options: ClassificationLossOptions): Tensor {
  const classes = logits.shape[1]!;
  const smooth = options.labelSmoothing;
  return differentiable(
    [logits],
    (save) => {
      const own = oneHot(labels, classes);
      const weights = rowOf(options.classWeights, classes);
      const weight = sum(mul(own, weights));
      const target = mul(add(mul(own, 1 - smooth), smooth / classes), weights);
      const logProbability = logSoftmax(logits);
      save(logProbability, target, weight);
      return neg(div(sum(mul(target, logProbability)), weight));
    },
    (dy, [logProbability, target, weight]) => {
      const slope = sub(mul(exp(logProbability!), sum(target!, [1], true)), target!);
      return [mul(slope, div(dy, weight!))];
    },
  );
}

/**
 * Sigmoid cross-entropy of several classes at once: the mean of w (log(1 + eˡ) − l y) over images and classes that are known.
 * @param logits [B, K]
 * @param labels int32 [B, K]: 1, 0, or −1 where it is not known
 * @returns []
 */
export function sigmoidLoss(logits: Tensor, labels: Tensor, options: ClassificationLossOptions): Tensor {
  const classes = logits.shape[1]!;
  return differentiable(
    [logits],
    (save) => {
      const known = isAtLeast(labels, 0);
      const weights = mul(known, rowOf(options.classWeights, classes));
      const count = maximum(sum(known), 1);
      const truth = isAtLeast(labels, 1);
      save(logits, weights, truth, count);
      return div(sum(mul(weights, sub(softplus(logits), mul(logits, truth)))), count);
    },
    (dy, [logits, weights, truth, count]) => [mul(mul(weights!, sub(sigmoid(logits!), truth!)), div(dy, count!))],
  );
}

function rowOf(weights: readonly number[] | undefined, classes: number): Tensor {
  return constant(
    Float32Array.from({ length: classes }, (_, i) => weights?.[i] ?? 1),
    [1, classes],
  );
}
