import type { PretrainConfig } from '../../../../protocol/config/index.ts';
import { pretrainKind } from '../../../../protocol/config/pretrain/index.ts';
import { seriesOf } from '../../../../protocol/records/series.ts';
import { requireImage } from '../../../data/datasets/unlabelled.ts';
import { collapseLimits } from '../../../evaluate/features/collapse.ts';
import { featureLength } from '../../../model/config.ts';
import { pretrainExecutorKey } from '../../../train/pretrain/executorKey.ts';
import { modelConfig } from '../modelConfig.ts';
import type { Task } from '../task.ts';
import { checkInitialWeights } from './initialWeights.ts';

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
  async check({ data, train, model }) {
    await requireImage(data);
    if (train.initialWeights !== null) await checkInitialWeights(train.initialWeights, modelConfig(model));
  },
  survey: async (config, options) => (await import('./survey.ts')).surveyPretraining(config, options),
  stepKey: (config, group) => (group === null ? {} : pretrainExecutorKey(config, group)),
  // Its modules are large: only a process that trains loads them.
  open: async (config, on) => (await import('./open.ts')).openPretraining(config, on),
};
