import type { FinetuneConfig } from '../../../protocol/config/index.ts';
import type { JsonObject } from '../../../protocol/json.ts';

/** What decides the duration of a step, besides machine and TensorFlow. Measurements are kept under it. */
export function finetuneExecutorKey(
  { problem, modality, plan, model, train }: FinetuneConfig,
  outputs: number,
): JsonObject {
  const { patch, channels } = plan;
  const { batch, deepSupervision, freeze } = train;
  const network = { ...model, problem, modality, patch, channels: channels.length };
  return { finetune: { ...network, outputs, batch, deepSupervision, freeze } };
}
