import * as z from 'zod';
import { evaluationParts, interval } from './common.ts';

const number = z.number().nullable();
/** A number with its interval; null: not defined (`why` says so in `notes`). */
export const measured = z.object({ value: number, interval: interval.nullable() });
export type Measured = z.infer<typeof measured>;

/** Measures of the whole. Not all exist for both kinds of classes. */
export const classificationMetrics = [
  'auc',
  'averagePrecision',
  'accuracy',
  'balancedAccuracy',
  'f1',
  'calibrationError',
  'brier',
] as const;
export type ClassificationMetric = (typeof classificationMetrics)[number];

/** How people call them. */
export const classificationMetricNames: Readonly<Record<ClassificationMetric, string>> = {
  auc: 'AUC',
  averagePrecision: 'Average precision',
  accuracy: 'Accuracy',
  balancedAccuracy: 'Balanced accuracy',
  f1: 'F1',
  calibrationError: 'Expected calibration error',
  brier: 'Brier score',
};

export const classifiedCase = z.object({
  case: z.string(),
  patient: z.string(),
  probabilities: z.array(z.number()),
  /** Indices of classes: one where they exclude each other. */
  reference: z.array(z.number().int()),
  predicted: z.array(z.number().int()),
});
export type ClassifiedCase = z.infer<typeof classifiedCase>;

/** One class against the others. */
export const classReport = z.object({
  class: z.string(),
  positives: z.number().int(),
  negatives: z.number().int(),
  auc: measured,
  averagePrecision: measured,
  /** Of the classes that `predicted` names. */
  f1: measured,
  /** Share of cases of this class that were predicted as such. */
  recall: measured,
  /** At `threshold`. */
  sensitivity: measured,
  specificity: measured,
  /** Positive where the probability is at least this. */
  threshold: z.number(),
  /** Points from (0, 0) to (1, 1): false-positive rate, true-positive rate. */
  roc: z.array(z.tuple([z.number(), z.number()])),
  /** Points by falling threshold: recall, precision. */
  precisionRecall: z.array(z.tuple([z.number(), z.number()])),
});
export type ClassReport = z.infer<typeof classReport>;

export const calibrationBin = z.object({
  low: z.number(),
  high: z.number(),
  count: z.number().int(),
  /** null: no case. */
  confidence: number,
  accuracy: number,
});
export type CalibrationBin = z.infer<typeof calibrationBin>;

export const classificationEvaluation = z.object({
  ...evaluationParts,
  problem: z.literal('classification'),
  /** Each case has exactly one class; otherwise any number. */
  exclusive: z.boolean(),
  /** Where the thresholds come from. */
  thresholds: z.enum(['validation', 'default']),
  cases: z.array(classifiedCase),
  classes: z.array(classReport),
  metrics: z.partialRecord(z.enum(classificationMetrics), measured),
  /** [reference][predicted], exclusive classes only. */
  confusion: z.array(z.array(z.number().int())).nullable(),
  calibration: z.array(calibrationBin),
});
export type ClassificationEvaluation = z.infer<typeof classificationEvaluation>;
