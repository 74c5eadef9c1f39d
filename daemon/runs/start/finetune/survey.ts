import { presetOf } from '../../../../protocol/config/finetune/presets.ts';
import type { FinetuneConfig } from '../../../../protocol/config/index.ts';
import type { Concern, Fix } from '../../../../protocol/runs/forecast.ts';
import { count, thousands } from '../../../../protocol/words.ts';
import { openLabelled } from '../../../data/datasets/labelled/openLabelled.ts';
import { memoryOf, secondsOf } from '../../../data/datasets/labelled/plan/cost.ts';
import { thisMachine } from '../../../data/datasets/labelled/plan/machine.ts';
import type { LabelledDataset } from '../../../data/datasets/labelled/types.ts';
import { downstreamTable } from '../../../model/downstream.ts';
import { finetuneExecutorKey } from '../../../train/finetune/executorKey.ts';
import { downstreamOf } from '../../../train/finetune/problem.ts';
import { type Cost, concerned, type Survey, type SurveyOptions, unplanned } from '../survey.ts';
import { chooseSplit, differencesFrom, openOptions } from './cases.ts';
import { sidesOf } from './sides.ts';
import { checkStartingWeights } from './startingWeights.ts';

/** Findings of a data set that are listed. */
const listed = 5;

/** What a fine-tuning would do, and what looks wrong with it. */
export async function surveyFinetuning(config: FinetuneConfig, options: SurveyOptions = {}): Promise<Survey> {
  const { data, train, start } = config;
  const weights = await concerned('start.from', async () => {
    if (start.from !== null) await checkStartingWeights(start, downstreamTable(downstreamOf(config, 1)));
  });
  const ofWeights = 'concern' in weights ? [weights.concern] : [];
  const opened = await concerned('data.path', () => openLabelled(data.path, { ...options, ...openOptions(data) }));
  if ('concern' in opened) return unplanned([opened.concern, ...ofWeights]);
  const dataset = opened.value;
  const bad = new Set(
    dataset.problems.flatMap(({ severity, case: id }) => (severity === 'error' && id !== undefined ? [id] : [])),
  );
  const unreadable = dataset.problems
    .filter(({ severity, case: id }) => severity === 'error' && id !== undefined)
    .map(({ place, what, remedy }) => ({ name: place, reason: `${what}. ${remedy}` }));
  const wrong = disagreements(config, dataset);
  const divided = await concerned('data.split', async () =>
    sidesOf(data.fold, await chooseSplit(config, dataset), data.split ?? data.path),
  );
  const counted = (training: number, validation: number) => ({
    images: [
      { what: 'training case', count: training },
      { what: 'validation case', count: validation },
    ],
    unreadable,
    skipped: 0,
  });
  if (wrong.length > 0) return { ...unplanned([...wrong, ...ofWeights]), ...counted(dataset.cases.length, 0) };
  if ('concern' in divided)
    return { ...unplanned([divided.concern, ...ofWeights]), ...counted(dataset.cases.length, 0) };
  const [training, validation] = divided.value;
  const stepsPerEpoch = train.stepsPerEpoch ?? Math.max(1, Math.floor(training.length / train.batch));
  const steps = stepsPerEpoch * train.epochs;
  const outputs = dataset.labels.length;
  return {
    ...counted(training.length, validation.length),
    epochs: train.epochs,
    steps,
    phases: [{ group: config.modality, images: training.length, batch: train.batch, epochs: train.epochs, steps }],
    concerns: [...ofWeights, ...concernsOf(config, { dataset, bad: bad.size, training: training.length })],
    cost: costOf(config, outputs),
    ...(train.hours !== null && { seconds: 3600 * train.hours }),
    executorKey: () => finetuneExecutorKey(config, outputs),
  };
}

function costOf(config: FinetuneConfig, outputs: number): Cost {
  const { problem, modality, labels, model, plan, train } = config;
  const classes = outputs + (labels === 'overlapping' ? 1 : 0);
  const step = { problem, modality, preset: model.preset, patch: plan.patch, batch: train.batch, classes };
  const parameters = downstreamTable(downstreamOf(config, outputs)).reduce(
    (sum, { shape }) => sum + shape.reduce((product, side) => product * side, 1),
    0,
  );
  return {
    memory: memoryOf(step),
    checkpoint: 4 * parameters * (train.optimizer === 'sgd' ? 2 : 3), // weights and moments
    smaller: {
      field: 'train.batch',
      remedy: 'Lower train.batch, or plan.patch.',
      fix(bytes: number): Fix | undefined {
        for (let batch = train.batch - 1; batch >= 1; batch--)
          if (memoryOf({ ...step, batch }) <= bytes) return [{ field: 'train.batch', value: batch }];
        return undefined;
      },
    },
    secondsPerStep: (_, cores) => secondsOf(step, { ...thisMachine(), cores }) ?? 0,
  };
}

function concernsOf(
  config: FinetuneConfig,
  { dataset, bad, training }: { dataset: LabelledDataset; bad: number; training: number },
): Concern[] {
  const { data, train } = config;
  const concerns: Concern[] = [];
  const warn = (field: string, message: string, remedy?: string, value?: unknown) =>
    concerns.push({
      ...{ severity: 'warning', field, message },
      ...(remedy !== undefined && { remedy }),
      ...(value !== undefined && { fix: [{ field, value }] }),
    });
  concerns.push(...wrongWeights(config, dataset));
  if (bad > 0)
    warn('data.path', `${count(bad, 'case')} cannot be used`, 'Repair the files. The run skips these cases.');
  if (training < train.batch)
    warn(
      'train.batch',
      `${train.batch} images per batch, but only ${count(training, 'training case')}`,
      `Cases repeat within a batch. Set train.batch to at most ${training}, or add cases.`,
      Math.max(1, training),
    );
  if (data.fold === 'all')
    warn(
      'data.fold',
      'the run validates on the cases that it trains on (data.fold is "all"): its numbers show memory, not skill',
      'Choose a fold, unless that is what you want.',
      0,
    );
  const usual = train.optimizer === 'sgd' ? 0.01 : presetOf(config).lr;
  const ratio = train.lr / usual;
  if (ratio > 30 || ratio < 1 / 100)
    warn(
      'train.lr',
      `a learning rate of ${train.lr} is ${ratio > 1 ? `${Number(ratio.toPrecision(2))} times` : `1/${Math.round(1 / ratio)} of`} the usual ${usual}`,
      'Check the number of zeros.',
      usual,
    );
  const warnings = dataset.problems.filter(({ severity, case: id }) => severity === 'warning' || id === undefined);
  for (const { place, what, remedy } of warnings.slice(0, listed)) warn('data.path', `${place} ${what}`, remedy);
  if (warnings.length > listed)
    warn(
      'data.path',
      `${thousands(warnings.length - listed)} more findings in the data set`,
      'List them with `unimiss plan`.',
    );
  return concerns;
}

/** What the configuration says of the data set and its files do not. */
function disagreements(config: FinetuneConfig, dataset: LabelledDataset): Concern[] {
  return differencesFrom(config, dataset).map(({ field, given, found }) => ({
    ...{ severity: 'error', code: 'data', field },
    message: `"${given}", but the data set is for ${field === 'labels' ? `${found} labels` : found}`,
    remedy: `Correct \`${field}\`, or run \`unimiss plan\` again.`,
    fix: [{ field, value: found }],
  }));
}

/** Weights of classes that the data set does not have. */
function wrongWeights({ train: { classWeights } }: FinetuneConfig, { labels }: LabelledDataset): Concern[] {
  if (!Array.isArray(classWeights) || classWeights.length === labels.length) return [];
  const field = 'train.classWeights';
  return [
    {
      ...{ severity: 'error', code: 'config', field },
      message: `has ${count(classWeights.length, 'weight')}, but there are ${labels.length} classes`,
      remedy: `Their order is: ${labels.map(({ name }) => name).join(', ')}.`,
      fix: [{ field, value: 'balanced' }],
    },
  ];
}
