import type { PretrainConfig } from '../../../protocol/config/index.ts';
import type { JsonObject } from '../../../protocol/json.ts';
import type { Modality } from '../../../protocol/modality.ts';

/** What decides the duration of a phase's steps, besides machine and TensorFlow. Measurements are kept under it. */
export function pretrainExecutorKey({ model, train }: PretrainConfig, phase: Modality): JsonObject {
  const { batch, accumulate } = train;
  return { phase, model, batch: batch[phase], accumulate };
}
