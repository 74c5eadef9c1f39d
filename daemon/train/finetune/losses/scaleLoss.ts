import {
  add,
  after,
  concat,
  constant,
  dense,
  differentiable,
  div,
  identity,
  matMul,
  maximum,
  mul,
  reshape,
  resizeLinear,
  resizeLinearGradient,
  rows,
  scalar,
  sub,
  sum,
  sumRows,
  type Tensor,
} from '../../../engine/ops/index.ts';
import type { Scale } from '../../../model/heads/segmentation.ts';
import { classifierMatrix } from '../../../model/ops/classifier.ts';
import { addSums, diceOf, diceSlopes, type VoxelSums } from './dice.ts';
import { type VoxelLossOptions, voxelLoss } from './voxelLoss.ts';

export interface ScaleLossOptions extends VoxelLossOptions {
  /** Dice over the whole batch at once, or image by image and then averaged. */
  readonly batchDice: boolean;
  /** The first class that Dice is averaged from: 1 where class 0 is the background. */
  readonly firstClass: number;
  /** Logits that are in memory at a time. Default 2²³: 32 MiB. */
  readonly slab?: number;
}

/** What a loss was made of. */
export interface LossParts {
  /** Mean cross-entropy, []. */
  readonly crossEntropy: Tensor;
  /** Soft Dice coefficient of each class, mean over the images where they count one by one, [K]. */
  readonly dice: Tensor;
  /** Voxels of each class, [K]. */
  readonly reference: Tensor;
}

/** Slices [begin, begin + count) of all images, of one group of Dice. */
interface Slab {
  readonly group: number;
  readonly begin: number;
  readonly count: number;
}

/** @param slices of a group */
function slabsOf(groups: number, slices: number, valuesPerSlice: number, slab: number): Slab[] {
  const most = Math.max(1, Math.floor(slab / valuesPerSlice));
  const parts = Math.ceil(slices / most);
  return Array.from({ length: groups }, (_, group) =>
    Array.from({ length: parts }, (_, part) => {
      const from = Math.floor((part * slices) / parts);
      const to = Math.floor(((part + 1) * slices) / parts);
      return { group, begin: group * slices + from, count: to - from };
    }),
  ).flat();
}

/**
 * Cross-entropy minus mean Dice of one scale's logits, times `factor`. The logits of all voxels and classes are never in memory
 * at once: they are made slab by slab from the scale's map, once for the sums that Dice needs, once more for the gradient.
 * @param labels int32 [B, …grid of the logits], see `VoxelLossOptions`
 * @param told gets the parts when they are there; it has to `keep` what it needs for longer
 * @returns []
 */
export function scaleLoss(
  { map, classifier, doubled }: Scale,
  labels: Tensor,
  factor: number,
  options: ScaleLossOptions,
  told: (parts: LossParts) => void = () => {},
): Tensor {
  const loss = voxelLoss(options);
  const batch = map.shape[0]!;
  const [height, width, channels] = map.shape.slice(-3) as [number, number, number];
  const slices = map.size / (height * width * channels);
  const classes = classifier.bias.size;
  const scale = doubled ? 2 : 1;
  const [cells, voxels] = [height * width, scale * scale * height * width];
  const groups = options.batchDice ? 1 : batch;
  const slabs = slabsOf(groups, slices / groups, voxels * classes, options.slab ?? 2 ** 23);
  const small = (count: number) => [count, height, width, classes];

  const featuresOf = (all: Tensor, { begin, count }: Slab) =>
    rows(reshape(all, [slices * cells, channels]), begin * cells, count * cells);
  const labelsOf = (all: Tensor, { begin, count }: Slab) =>
    rows(reshape(all, [all.size]), begin * voxels, count * voxels);
  const logitsOf = (features: Tensor, weight: Tensor, bias: Tensor, { count }: Slab) => {
    const own = dense(features, classifierMatrix(weight), bias, { transposed: true });
    if (!doubled) return { own, logits: own };
    const enlarged = resizeLinear(reshape(own, small(count)), [2 * height, 2 * width]);
    return { own, logits: reshape(enlarged, [count * voxels, classes]) };
  };
  /** How much each class counts in −Dice of one group, [K]. */
  const shares = Float32Array.from({ length: classes }, (_, i) =>
    i < options.firstClass ? 0 : 1 / (groups * (classes - options.firstClass)),
  );

  return differentiable(
    [map, classifier.weight, classifier.bias],
    (save) => {
      let before: Tensor[] = [];
      const parts = slabs.map((slab) => {
        const features = after(before, featuresOf(map, slab));
        const { logits } = logitsOf(features, classifier.weight, classifier.bias, slab);
        const sums = loss.sums(logits, labelsOf(labels, slab));
        before = [sums.crossEntropy, sums.overlap, sums.predicted];
        return { slab, sums };
      });
      const ofGroups = Array.from({ length: groups }, (_, group) =>
        addSums(parts.flatMap(({ slab, sums }) => (slab.group === group ? sums : []))),
      );
      const entropies = ofGroups.map(({ crossEntropy }) => crossEntropy).reduce((a, b) => add(a, b));
      const weight = maximum(
        ofGroups.map((sums) => sums.weight).reduce((a, b) => add(a, b)),
        1e-8,
      );
      const crossEntropy = div(entropies, weight);
      const dices = ofGroups.map(diceOf).reduce((a, b) => add(a, b));
      told({
        crossEntropy,
        dice: mul(dices, 1 / groups),
        reference: ofGroups.map(({ reference }) => reference).reduce((a, b) => add(a, b)),
      });
      const kept = ofGroups.flatMap(({ overlap, predicted, reference }) => [overlap, predicted, reference]);
      save(map, classifier.weight, classifier.bias, labels, weight, ...kept);
      return mul(sub(crossEntropy, sum(mul(dices, constant(shares, [classes])))), factor);
    },
    (dy, [map, weight, bias, labels, entropyWeight, ...kept]) => {
      const dLoss = mul(dy, factor);
      const share = mul(constant(shares, [classes]), dLoss);
      const slopes = Array.from({ length: groups }, (_, group) => {
        const [overlap, predicted, reference] = kept.slice(3 * group) as [Tensor, Tensor, Tensor];
        const sums: VoxelSums = { overlap, predicted, reference, crossEntropy: scalar(0), weight: scalar(0) };
        return { crossEntropy: div(dLoss, entropyWeight!), ...diceSlopes(sums, share) };
      });
      let before: Tensor[] = [dy];
      let [dWeight, dBias]: (Tensor | undefined)[] = [];
      const parts = slabs.map((slab) => {
        const features = after(before, featuresOf(map!, slab));
        const { own, logits } = logitsOf(features, weight!, bias!, slab);
        let dLogits = loss.gradient(logits, labelsOf(labels!, slab), slopes[slab.group]!);
        if (doubled) {
          const pictures = reshape(dLogits, [slab.count, 2 * height, 2 * width, classes]);
          dLogits = reshape(resizeLinearGradient(pictures, reshape(own, small(slab.count))), own.shape);
        }
        const ofWeight = matMul(features, dLogits, true);
        const ofBias = sumRows(dLogits);
        dWeight = dWeight ? add(dWeight, ofWeight) : ofWeight;
        dBias = dBias ? add(dBias, ofBias) : ofBias;
        const dFeatures = matMul(dLogits, classifierMatrix(weight!), false, true);
        before = [dFeatures, dWeight, dBias];
        return dFeatures;
      });
      const dMap = parts.length === 1 ? parts[0]! : concat(parts, 0);
      return [reshape(dMap, map!.shape), reshape(dWeight!, weight!.shape), identity(dBias!)];
    },
  );
}
