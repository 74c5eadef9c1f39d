import {
  type ClassificationEvaluation,
  classificationMetricNames,
  classificationMetrics,
} from '../../../protocol/evaluation/classification.ts';
import type { Interval, Leakage } from '../../../protocol/evaluation/common.ts';
import type { Evaluation } from '../../../protocol/evaluation/evaluation.ts';
import {
  type SegmentationEvaluation,
  segmentationMetricNames,
  segmentationMetrics,
} from '../../../protocol/evaluation/segmentation.ts';

/** A number of an evaluation for a model card. */
export interface CardNumber {
  /** As Hugging Face calls it, where it has a name for it. */
  readonly type: string;
  readonly name: string;
  readonly value: number;
  readonly interval: Interval | null;
}

/** Names of https://huggingface.co/metrics, where they differ from ours. */
const types: Readonly<Record<string, string>> = {
  iou: 'mean_iou',
  auc: 'roc_auc',
  averagePrecision: 'average_precision',
  balancedAccuracy: 'balanced_accuracy',
  calibrationError: 'expected_calibration_error',
  brier: 'brier_score',
  surfaceDice: 'surface_dice',
  volumeError: 'volume_error',
  volumeErrorMl: 'volume_error_ml',
  lesionF1: 'lesion_f1',
};

/** The numbers of an evaluation over all classes. */
export function cardNumbers(evaluation: Evaluation): CardNumber[] {
  return evaluation.problem === 'segmentation' ? ofSegmentation(evaluation) : ofClassification(evaluation);
}

function ofSegmentation({ summary }: SegmentationEvaluation): CardNumber[] {
  return segmentationMetrics.flatMap((metric) => {
    const found = summary.metrics[metric];
    if (!found) return [];
    const { mean: value, interval } = found;
    return [{ type: types[metric] ?? metric, name: segmentationMetricNames[metric], value, interval }];
  });
}

function ofClassification({ metrics }: ClassificationEvaluation): CardNumber[] {
  return classificationMetrics.flatMap((metric) => {
    const { value = null, interval = null } = metrics[metric] ?? {};
    if (value === null) return [];
    return [{ type: types[metric] ?? metric, name: classificationMetricNames[metric], value, interval }];
  });
}

/** The first metric of each class: Dice, or AUC. */
export function classNumbers(evaluation: Evaluation): { name: string; value: number | null }[] {
  if (evaluation.problem === 'segmentation')
    return evaluation.classes.map(({ class: name, metrics }) => ({ name, value: metrics.dice?.mean ?? null }));
  return evaluation.classes.map(({ class: name, auc }) => ({ name, value: auc.value }));
}

/** Whether the training has seen what was evaluated, in a sentence. */
export function leakageText(leakage: Leakage): string {
  switch (leakage.state) {
    case 'none':
      return 'None of these images was among those of the training or of one before it.';
    case 'found':
      return `${leakage.cases.length} of ${leakage.checked} images were among those of the training or of one before it: the numbers are too good.`;
    case 'unknown':
      return 'Whether the training, or one before it, has seen these images is unknown.';
  }
}
