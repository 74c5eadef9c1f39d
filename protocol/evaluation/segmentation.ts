import * as z from 'zod';
import { evaluationParts, interval } from './common.ts';

export const conventionNames = ['unimiss', 'monai', 'medpy', 'deepmind', 'nnunet'] as const;
export const conventionName = z.enum(conventionNames);
export type ConventionName = z.infer<typeof conventionName>;

/** What a class is in a case. `missed`: only the reference has it; `false-positive`: only the prediction. */
export const caseStatuses = ['ok', 'both-empty', 'missed', 'false-positive'] as const;
export const caseStatus = z.enum(caseStatuses);
export type CaseStatus = z.infer<typeof caseStatus>;

/** The numbers of a class in a case; null: not defined, or infinite. */
export const segmentationMetrics = [
  'dice',
  'iou',
  'hd95',
  'assd',
  'surfaceDice',
  'volumeError',
  'volumeErrorMl',
  'lesionF1',
] as const;
export type SegmentationMetric = (typeof segmentationMetrics)[number];

/** How people call them. */
export const segmentationMetricNames: Readonly<Record<SegmentationMetric, string>> = {
  dice: 'Dice',
  iou: 'IoU',
  hd95: 'HD95 (mm)',
  assd: 'ASSD (mm)',
  surfaceDice: 'Surface Dice',
  volumeError: 'Volume error',
  volumeErrorMl: 'Volume error (ml)',
  lesionF1: 'Lesion F1',
};

const number = z.number().nullable();
export const classInCase = z.object({
  class: z.string(),
  status: caseStatus,
  /** Voxels. */
  referenceVoxels: z.number(),
  predictedVoxels: z.number(),
  /** ml; cm² of pictures. */
  referenceVolume: z.number(),
  predictedVolume: z.number(),
  dice: number,
  iou: number,
  /** mm */
  hd95: number,
  assd: number,
  surfaceDice: number,
  /** (prediction − reference) / reference */
  volumeError: number,
  /** ml; cm² of pictures. */
  volumeErrorMl: number,
  lesionF1: number,
  lesions: z.object({ reference: z.number(), predicted: z.number(), found: z.number(), extra: z.number() }).nullable(),
});
export type ClassInCase = z.infer<typeof classInCase>;

export const segmentedCase = z.object({
  case: z.string(),
  patient: z.string(),
  shape: z.array(z.number()),
  /** mm */
  spacing: z.array(z.number()),
  /** Mean Dice of the classes that have one; null: none has. */
  dice: number,
  classes: z.array(classInCase),
});
export type SegmentedCase = z.infer<typeof segmentedCase>;

/** A metric of a class over cases, or over classes. */
export const statistic = z.object({
  /** Values in `mean`. */
  count: z.number().int(),
  mean: z.number(),
  interval: interval.nullable(),
  /** Values in `meanOverOk`: cases where both have the class. */
  countOk: z.number().int(),
  meanOverOk: number,
  deviation: z.number(),
  minimum: z.number(),
  lowerQuartile: z.number(),
  median: z.number(),
  upperQuartile: z.number(),
  maximum: z.number(),
});
export type Statistic = z.infer<typeof statistic>;

const statistics = z.partialRecord(z.enum(segmentationMetrics), statistic);
export const classSummary = z.object({
  class: z.string(),
  statuses: z.record(caseStatus, z.number().int()),
  metrics: statistics,
});
export type ClassSummary = z.infer<typeof classSummary>;

export const segmentationEvaluation = z.object({
  ...evaluationParts,
  problem: z.literal('segmentation'),
  convention: z.object({ name: conventionName, version: z.number().int(), matches: z.string() }),
  /** mm, of the normalised surface Dice. */
  toleranceMm: z.number(),
  cases: z.array(segmentedCase),
  classes: z.array(classSummary),
  /** Means over classes of the means over cases. */
  summary: z.object({ statuses: z.record(caseStatus, z.number().int()), metrics: statistics }),
});
export type SegmentationEvaluation = z.infer<typeof segmentationEvaluation>;
