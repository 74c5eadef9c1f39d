import type { z } from 'zod';
import { oneLineOf, UnimissError } from '../../../../protocol/errors.ts';
import type { Exclusion } from '../../../../protocol/evaluation/common.ts';
import type { Evaluation } from '../../../../protocol/evaluation/evaluation.ts';
import type { LabelledPlane } from '../../../../protocol/evaluation/plane.ts';
import type { ViewableCase } from '../../../../protocol/evaluation/viewableCases.ts';
import type { EvaluateTask } from '../../../../protocol/jobs/evaluateMessages.ts';
import type { ClassificationCase, SegmentationCase } from '../../../data/datasets/labelled/types.ts';
import type { EvaluationOptions } from '../../../evaluate/metrics/evaluateSegmentation.ts';
import type { OnJobProgress } from '../job.ts';
import type { OpenNetwork } from '../predict/network.ts';
import type { KeptLabels } from './keptLabels.ts';
import type { LeakageCheck } from './leakageCheck.ts';
import type { MeasuredCases } from './measuredCases.ts';
import type { SplitCases } from './splitCases.ts';

export type Case = SegmentationCase | ClassificationCase;

/** What the cases of a run are measured with. */
export interface EvaluatedOn {
  readonly leakage: LeakageCheck;
  readonly network: OpenNetwork;
  readonly opened: SplitCases;
  readonly task: EvaluateTask;
  readonly options: EvaluationOptions;
  /** Where the labels of volumes are kept; undefined: nowhere, since the run hides the names of images, or cannot be written. */
  readonly kept: KeptLabels | undefined;
  /** Gets the cases that cannot be used. */
  readonly exclusions: Exclusion[];
  readonly onProgress: OnJobProgress;
  /** Opens what was found before. The caller closes it. */
  measured<T>(result: z.ZodType<T>): Promise<MeasuredCases<T>>;
}

export interface Evaluated {
  readonly evaluation: Evaluation;
  /** Pictures of the worst and of the best cases. */
  readonly planes: readonly LabelledPlane[];
  /** Cases that the viewer can show. */
  readonly viewable?: readonly ViewableCase[];
  /** Validation cases of a segmentation: the classes whose Dice rises where only their largest component stays. */
  readonly largestComponent?: readonly string[];
}

/** What `make` gives; undefined, and an exclusion, where the case's files cannot be used. */
export async function excludingBroken<T>(
  one: Case,
  exclusions: Exclusion[],
  make: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await make();
  } catch (error) {
    if (!(error instanceof UnimissError) || error.code !== 'data') throw error;
    exclusions.push({ case: one.id, reason: oneLineOf(error) });
    return undefined;
  }
}
