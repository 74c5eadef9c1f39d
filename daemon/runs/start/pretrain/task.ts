import type { PretrainConfig } from '../../../../protocol/config/index.ts';
import { pretrainKind } from '../../../../protocol/config/pretrain/index.ts';
import { UnimissError } from '../../../../protocol/errors.ts';
import { seriesOf } from '../../../../protocol/records/series.ts';
import { openDataset, requireImage } from '../../../data/datasets/unlabelled.ts';
import { collapseLimits } from '../../../evaluate/features/collapse.ts';
import { featureLength } from '../../../model/config.ts';
import { pretrainExecutorKey } from '../../../train/pretrain/executorKey.ts';
import { planOf } from '../../../train/pretrain/plan.ts';
import { modelConfig } from '../modelConfig.ts';
import type { Task } from '../task.ts';
import { checkInitialWeights } from './initialWeights.ts';
import { openProbeSets } from './probeSets.ts';

/** How long headers are checked before a run is created, ms. Larger sets are checked when it starts. */
const checkedFor = 3000;

/** Refuses sets with too many broken images, or without a modality that is asked for, as the start would. */
async function checkHeaders(config: PretrainConfig): Promise<void> {
  const { paths, manifest, maxBroken } = config.data;
  const signal = AbortSignal.timeout(checkedFor);
  const given = { ...(paths && { paths }), ...(manifest !== undefined && { manifest }), maxBroken, signal };
  try {
    planOf(config, await openDataset(given));
  } catch (error) {
    if (!(error instanceof UnimissError && error.code === 'interrupted')) throw error;
  }
}

/** Refuses labelled images that cannot be used, as the start would. */
async function checkProbe(config: PretrainConfig): Promise<void> {
  try {
    await openProbeSets(config, { signal: AbortSignal.timeout(checkedFor) });
  } catch (error) {
    if (!(error instanceof UnimissError && error.code === 'interrupted')) throw error;
  }
}

/** UniMiSS pre-training. */
export const pretrainTask: Task<PretrainConfig> = {
  config: pretrainKind,
  series: seriesOf.pretrain,
  limits: ({ model, train: { batch, accumulate } }) =>
    collapseLimits({
      outputs: model.head.outDim,
      featureLength: featureLength(modelConfig(model)),
      batch: Math.min(batch['2D'], batch['3D']) * accumulate,
    }),
  async check(config) {
    const { data, train, model } = config;
    await requireImage(data);
    await checkHeaders(config);
    await checkProbe(config);
    if (train.initialWeights !== null) await checkInitialWeights(train.initialWeights, modelConfig(model));
  },
  survey: async (config, options) => (await import('./survey.ts')).surveyPretraining(config, options),
  stepKey: (config, group) => (group === null ? {} : pretrainExecutorKey(config, group)),
  // Its modules are large: only a process that trains loads them.
  open: async (config, on) => (await import('./open.ts')).openPretraining(config, on),
};
