import * as z from 'zod';
import { classificationEvaluation } from './classification.ts';
import { segmentationEvaluation } from './segmentation.ts';

/** What `evaluation.json` holds. */
export const evaluation = z.discriminatedUnion('problem', [segmentationEvaluation, classificationEvaluation]);
export type Evaluation = z.infer<typeof evaluation>;
