import {
  add,
  atLeast,
  bits,
  constant,
  exactMatMul,
  flatIndices,
  gather,
  isAtLeast,
  log,
  maximum,
  mul,
  neg,
  reshape,
  scalar,
  scatterAdd,
  sigmoid,
  softmax,
  softplus,
  sub,
  sum,
  sumByLabel,
  sumRows,
  type Tensor,
  zerosLike,
} from '../../../engine/ops/index.ts';
import type { DiceSlopes, VoxelSums } from './dice.ts';

/** The label of voxels that count nowhere. */
export const IGNORED = -1;

export interface VoxelLossOptions {
  /** Exclusive labels: a number of a class a voxel, softmax. Overlapping ones: a bit for each class, sigmoid. */
  readonly labels: 'exclusive' | 'overlapping';
  /** Whether there may be voxels with the label −1, which count nowhere. */
  readonly ignore: boolean;
  /** Weights of the classes in the cross-entropy, [K]; exclusive labels only. */
  readonly classWeights?: readonly number[];
}

/** How a slope of the loss is put together for the voxels at hand. */
export interface LossSlopes extends DiceSlopes {
  /** What one voxel's cross-entropy of weight 1 counts, []. */
  readonly crossEntropy: Tensor;
}

/** Cross-entropy and Dice of some voxels: logits [R, K], labels int32 [R]. */
export interface VoxelLoss {
  sums(logits: Tensor, labels: Tensor): VoxelSums;
  /** The gradient by the logits, [R, K]. */
  gradient(logits: Tensor, labels: Tensor, slopes: LossSlopes): Tensor;
}

export function voxelLoss(options: VoxelLossOptions): VoxelLoss {
  return options.labels === 'exclusive' ? exclusive(options) : overlapping(options);
}

/** Below it, a probability's logarithm is not told apart: a voxel's cross-entropy is 87 at most. Its gradient is exact all the same. */
const TINY = 1.2e-38;

/**
 * One class a voxel: p = softmax(l), cross-entropy −log p_y.
 *
 * With slopes k of the cross-entropy, a (at voxels of the class) and b of −Dice, and w a voxel's weight:
 * dl = w k (p − y) + p (a y + b − Σ p (a y + b)) = p (w k + b − s) + y (p_y a_y − w k), s = Σ p b + p_y a_y.
 */
function exclusive({ ignore, classWeights }: VoxelLossOptions): VoxelLoss {
  const flat = (x: Tensor) => reshape(x, [x.size]);
  const column = (x: Tensor) => reshape(x, [x.size, 1]);
  const classOf = (labels: Tensor) => (ignore ? atLeast(labels, 0) : labels);
  /** Weights of voxels in the cross-entropy, [R]; undefined: all 1. */
  const weightsOf = (labels: Tensor): Tensor | undefined => {
    const byClass =
      classWeights && gather(constant(Float32Array.from(classWeights), [classWeights.length]), classOf(labels));
    const counted = ignore ? isAtLeast(labels, 0) : undefined;
    return byClass && counted ? mul(byClass, counted) : (byClass ?? counted);
  };
  return {
    sums(logits, labels) {
      const count = logits.shape[1]!;
      const classes = classOf(labels);
      const probability = softmax(logits);
      const own = gather(flat(probability), flatIndices(classes, count));
      const counted = ignore ? isAtLeast(labels, 0) : undefined;
      const ones = counted ?? add(zerosLike(own), 1);
      const weights = weightsOf(labels);
      const entropy = neg(log(maximum(own, TINY)));
      return {
        crossEntropy: sum(weights ? mul(entropy, weights) : entropy),
        weight: weights ? sum(weights) : scalar(labels.size),
        overlap: sumByLabel(counted ? mul(own, counted) : own, classes, count),
        predicted: counted ? reshape(exactMatMul(column(counted), probability, true), [count]) : sumRows(probability),
        reference: sumByLabel(ones, classes, count),
      };
    },
    gradient(logits, labels, { crossEntropy, where, everywhere }) {
      const count = logits.shape[1]!;
      const classes = classOf(labels);
      const indices = flatIndices(classes, count);
      const probability = softmax(logits);
      const own = gather(flat(probability), indices);
      const weights = weightsOf(labels);
      const slope = weights ? mul(weights, crossEntropy) : crossEntropy; // [R] or []
      const ownDice = mul(own, gather(where, classes));
      const mean = add(flat(exactMatMul(probability, column(everywhere))), ownDice);
      const shared = sub(reshape(everywhere, [1, count]), column(sub(mean, slope)));
      const dense = mul(probability, shared);
      const all = reshape(scatterAdd(flat(dense), indices, sub(ownDice, slope)), logits.shape);
      return ignore ? mul(all, column(isAtLeast(labels, 0))) : all;
    },
  };
}

/**
 * Any classes a voxel, as bits: p = σ(l), cross-entropy log(1 + eˡ) − l y averaged over voxels and classes.
 * With slopes as above: dl = k (p − y) + p (1 − p) (a y + b).
 */
function overlapping({ ignore }: VoxelLossOptions): VoxelLoss {
  const counted = (labels: Tensor) => (ignore ? reshape(isAtLeast(labels, 0), [labels.size, 1]) : undefined);
  const masked = (x: Tensor, mask: Tensor | undefined) => (mask ? mul(x, mask) : x);
  return {
    sums(logits, labels) {
      const count = logits.shape[1]!;
      const mask = counted(labels);
      const truth = masked(bits(labels, count), mask);
      const probability = masked(sigmoid(logits), mask);
      return {
        crossEntropy: sum(sub(masked(softplus(logits), mask), mul(logits, truth))),
        weight: mask ? mul(sum(mask), count) : scalar(labels.size * count),
        overlap: sumRows(mul(probability, truth)),
        predicted: sumRows(probability),
        reference: sumRows(truth),
      };
    },
    gradient(logits, labels, { crossEntropy, where, everywhere }) {
      const count = logits.shape[1]!;
      const truth = bits(labels, count);
      const probability = sigmoid(logits);
      const ofDice = add(mul(truth, reshape(where, [1, count])), reshape(everywhere, [1, count]));
      const curve = mul(probability, sub(1, probability));
      return masked(add(mul(sub(probability, truth), crossEntropy), mul(curve, ofDice)), counted(labels));
    },
  };
}
