import type { FinetuneConfig } from '../../../../protocol/config/index.ts';
import type { Engine } from '../../../engine/index.ts';
import type { DownstreamConfig } from '../../../model/downstream.ts';
import { type FirstValues, seededValues } from '../../../train/parameters/firstValues.ts';
import type { Finding } from '../../../train/training.ts';

/** The values that a network begins with: random ones from the seed. */
export async function startValues(
  { train }: FinetuneConfig,
  _on: { readonly engine: Engine; readonly model: DownstreamConfig; readonly resumes: boolean },
): Promise<{ first: FirstValues; findings: Finding[] }> {
  return { first: seededValues(train.seed), findings: [] };
}
