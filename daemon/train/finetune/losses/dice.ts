import { add, div, mul, square, type Tensor } from '../../../engine/ops/index.ts';

/** Sums over voxels that Dice and cross-entropy are made of. */
export interface VoxelSums {
  /** Σ of the cross-entropy, []. */
  readonly crossEntropy: Tensor;
  /** Σ of the weights by which that is averaged, []. */
  readonly weight: Tensor;
  /** Σ p y for each class, [K]. */
  readonly overlap: Tensor;
  /** Σ p for each class, [K]. */
  readonly predicted: Tensor;
  /** Σ y for each class, [K]. */
  readonly reference: Tensor;
}

const names = ['crossEntropy', 'weight', 'overlap', 'predicted', 'reference'] as const;

export function addSums(parts: readonly VoxelSums[]): VoxelSums {
  const total = (name: (typeof names)[number]) => parts.map((part) => part[name]).reduce((a, b) => add(a, b));
  return {
    crossEntropy: total('crossEntropy'),
    weight: total('weight'),
    overlap: total('overlap'),
    predicted: total('predicted'),
    reference: total('reference'),
  };
}

/** nnU-Net's smoothing: above and below the fraction, and once more below so that it is never 0. */
const SMOOTH = 1e-5;
const EPSILON = 1e-8;

/** The soft Dice coefficient of each class (Milletari et al. 2016, as nnU-Net has it): (2 Σ p y + s) / (Σ p + Σ y + s), [K]. */
export function diceOf({ overlap, predicted, reference }: VoxelSums): Tensor {
  return div(add(mul(overlap, 2), SMOOTH), add(add(predicted, reference), SMOOTH + EPSILON));
}

/** How −Dice, weighted by `share` [K], changes with the probability of a class: by `where` more at voxels of the class, by `everywhere` at all. */
export interface DiceSlopes {
  /** [K] */
  readonly where: Tensor;
  /** [K] */
  readonly everywhere: Tensor;
}

export function diceSlopes({ overlap, predicted, reference }: VoxelSums, share: Tensor): DiceSlopes {
  const below = add(add(predicted, reference), SMOOTH + EPSILON);
  return {
    where: mul(div(share, below), -2),
    everywhere: div(mul(share, add(mul(overlap, 2), SMOOTH)), square(below)),
  };
}
