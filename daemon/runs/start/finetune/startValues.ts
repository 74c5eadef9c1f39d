import type { FinetuneConfig } from '../../../../protocol/config/index.ts';
import { type DownstreamConfig, downstreamTable } from '../../../model/downstream.ts';
import { type FirstValues, seededValues } from '../../../train/parameters/firstValues.ts';
import type { Finding } from '../../../train/training.ts';
import { readStartingWeights } from './startingWeights.ts';

/**
 * The values that a network begins with: pre-trained weights where there are any, and random ones from the seed. A resumed run takes its
 * values from its checkpoint, and reads no weights.
 */
export async function startValues(
  { train, start }: FinetuneConfig,
  { model, resumes }: { readonly model: DownstreamConfig; readonly resumes: boolean },
): Promise<{ first: FirstValues; findings: Finding[] }> {
  if (start.from === null || resumes) return { first: seededValues(train.seed), findings: [] };
  const notices: string[] = [];
  const onNotice = (message: string) => notices.push(message);
  const { first, finding } = await readStartingWeights(start, downstreamTable(model), { seed: train.seed, onNotice });
  return { first, findings: [...notices.map((message): Finding => ({ event: 'notice', message })), finding] };
}
