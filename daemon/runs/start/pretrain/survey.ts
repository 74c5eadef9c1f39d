import type { PretrainConfig } from '../../../../protocol/config/index.ts';
import { modalities } from '../../../../protocol/modality.ts';
import { openDataset } from '../../../data/datasets/unlabelled.ts';
import { pretrainCost } from '../../../train/pretrain/cost.ts';
import { pretrainExecutorKey } from '../../../train/pretrain/executorKey.ts';
import { planOf } from '../../../train/pretrain/plan.ts';
import { modelConfig } from '../modelConfig.ts';
import { concerned, type Survey, type SurveyOptions, unplanned } from '../survey.ts';
import { brokenImages, pretrainConcerns } from './concerns.ts';
import { checkInitialWeights } from './initialWeights.ts';
import { openProbeSets } from './probeSets.ts';

/** What a pre-training would do, and what looks wrong with it. */
export async function surveyPretraining(config: PretrainConfig, options: SurveyOptions = {}): Promise<Survey> {
  const { data, train, model } = config;
  const source = data.manifest === undefined ? 'data.paths' : 'data.manifest';
  const others =
    train.initialWeights === null
      ? []
      : await concernsOf('train.initialWeights', checkInitialWeights(train.initialWeights, modelConfig(model)));
  others.push(...(await concernsOf('probe.data', openProbeSets(config, options))));
  // All unreadable images are of interest, however many the run allows.
  const { paths, manifest } = data;
  const opened = await concerned(source, () =>
    openDataset({ ...(paths && { paths }), ...(manifest !== undefined && { manifest }), maxBroken: 1, ...options }),
  );
  if ('concern' in opened) return unplanned([opened.concern, ...others]);
  const dataset = opened.value;
  const found = {
    images: [
      { what: '2D image', count: dataset.samples2D.length },
      { what: 'volume', count: dataset.samples3D.length },
    ].filter(({ count }) => count > 0),
    unreadable: dataset.broken.map(({ id, reason }) => ({ name: id, reason })),
    skipped: dataset.ignored.length,
  };
  const planned = await concerned(source, async () => planOf(config, dataset));
  if ('concern' in planned)
    return { ...unplanned([...brokenImages(config, dataset), planned.concern, ...others]), ...found };
  const plan = planned.value;
  const phases = modalities.flatMap((group) => {
    const own = plan.epochs.filter((epoch) => epoch.group === group);
    if (own.length === 0) return [];
    const steps = own.reduce((sum, epoch) => sum + epoch.steps, 0);
    const batch = train.batch[group] * train.accumulate;
    return [{ group, images: dataset.samples(group).length, batch, epochs: own.length, steps }];
  });
  return {
    ...found,
    phases,
    epochs: plan.epochs.length,
    steps: plan.steps,
    concerns: [...others, ...pretrainConcerns(config, dataset, plan)],
    cost: pretrainCost(
      config,
      phases.map(({ group }) => group),
    ),
    executorKey: (group) => pretrainExecutorKey(config, group),
  };
}

async function concernsOf(field: string, work: Promise<unknown>) {
  const result = await concerned(field, () => work);
  return 'concern' in result ? [result.concern] : [];
}
