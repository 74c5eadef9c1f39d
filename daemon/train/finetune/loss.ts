import { keep, type Tensor } from '../../engine/ops/index.ts';
import type { DownstreamPass } from '../../model/downstream.ts';
import { classifyImages } from '../../model/heads/classification.ts';
import { segment } from '../../model/heads/segmentation.ts';
import { sigmoidLoss, softmaxLoss } from './losses/classificationLoss.ts';
import { segmentationLoss, supervisionWeights } from './losses/segmentationLoss.ts';
import type { ClassificationProblem, Problem, SegmentationProblem } from './types.ts';

/** Values that a step gives beside its loss, by name; kept until they are disposed. */
export type Told = Record<string, Tensor>;

/** The loss of a problem on a batch, []. @param told gets what else the step gives */
export function lossOf(problem: Problem, pass: DownstreamPass, images: Tensor, labels: Tensor, told: Told): Tensor {
  return problem.task === 'segmentation'
    ? ofVoxels(problem, pass, images, labels, told)
    : ofImages(problem, pass, images, labels, told);
}

function ofVoxels(
  problem: SegmentationProblem,
  pass: DownstreamPass,
  images: Tensor,
  labels: Tensor,
  told: Told,
): Tensor {
  const scales = segment(pass, images);
  const weights = problem.deepSupervision ? supervisionWeights(scales.length) : [1];
  const firstClass = problem.labels === 'exclusive' ? 1 : 0;
  return segmentationLoss(scales, labels, weights, { ...problem, firstClass }, (parts) => {
    for (const [name, tensor] of Object.entries(parts)) told[name] = keep(tensor);
  });
}

function ofImages(
  problem: ClassificationProblem,
  pass: DownstreamPass,
  images: Tensor,
  labels: Tensor,
  told: Told,
): Tensor {
  const logits = classifyImages(pass, images);
  told.logits = keep(logits);
  const { classWeights, labelSmoothing = 0 } = problem;
  const loss = problem.labels === 'exclusive' ? softmaxLoss : sigmoidLoss;
  return loss(logits, labels, { classWeights, labelSmoothing });
}
