import { access, constants } from 'node:fs/promises';
import { finetuneKind } from '../../../../protocol/config/finetune/index.ts';
import type { FinetuneConfig } from '../../../../protocol/config/index.ts';
import { seriesOf } from '../../../../protocol/records/series.ts';
import { readSplit } from '../../../data/datasets/labelled/split/splitFile.ts';
import { readFailure } from '../../../data/formats/bytes.ts';
import { downstreamTable } from '../../../model/downstream.ts';
import { finetuneExecutorKey } from '../../../train/finetune/executorKey.ts';
import { downstreamOf } from '../../../train/finetune/problem.ts';
import type { Task } from '../task.ts';
import { sidesOf } from './sides.ts';
import { checkStartingWeights } from './startingWeights.ts';

/** Fine-tuning on labelled images. */
export const finetuneTask: Task<FinetuneConfig> = {
  config: finetuneKind,
  series: seriesOf.finetune,
  async check(config) {
    const { data, start } = config;
    await access(data.path, constants.R_OK).catch((error: unknown) => {
      throw readFailure(data.path, error, []);
    });
    if (data.split !== null) sidesOf(data.fold, await readSplit(data.split), data.split);
    // The number of classes, which is not known yet, concerns the head alone.
    if (start.from !== null) await checkStartingWeights(start, downstreamTable(downstreamOf(config, 1)));
  },
  survey: async (config, options) => (await import('./survey.ts')).surveyFinetuning(config, options),
  // The number of classes is not known before the data set is opened; the data set stands for it.
  stepKey: (config) => ({ ...finetuneExecutorKey(config, 0), data: config.data.path, labels: config.labels }),
  // What it needs is large: only a process that trains loads it.
  open: async (config, on) => (await import('./open.ts')).openFinetuning(config, on),
};
