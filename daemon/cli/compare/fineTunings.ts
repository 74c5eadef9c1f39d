import {
  type Experiment,
  type FineTuned,
  fineTuned,
  recipeParts,
  scratch,
  taskOf,
  tasksOf,
} from '../../../protocol/compare/experiment.ts';
import { type FinetuneConfig, requireFinetune } from '../../../protocol/config/finetune/index.ts';
import { resolveConfig } from '../../../protocol/config/index.ts';
import { parseConfig } from '../../../protocol/config/parseConfig.ts';
import { longestRunName } from '../../../protocol/config/shared.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import { isObject } from '../../../protocol/json.ts';
import { type Modality, modalities } from '../../../protocol/modality.ts';
import { merged } from './merged.ts';

/** One fine-tuning of an experiment. */
export interface FineTuning {
  readonly arm: string;
  readonly seed: number;
  readonly task: FineTuned;
  readonly modality: Modality;
  /** Labels of each class. */
  readonly labels: number;
  /** The run's name. */
  readonly name: string;
}

/**
 * All fine-tunings of an experiment, seed by seed: arms and `scratch`, tasks, modalities, numbers of labels; or those of them that its
 * questions compare.
 * @throws UnimissError 'config' where a name gets too long
 */
export function fineTunings(experiment: Experiment, measured: readonly Modality[] = modalities): FineTuning[] {
  const { name, arms, seeds, labels, fineTuning, primary, secondary } = experiment;
  const asked = ({ arm, task, modality, labels }: Omit<FineTuning, 'name' | 'seed'>) =>
    fineTuning?.only !== 'questions' ||
    [primary, ...secondary].some(
      (one) =>
        taskOf(one) === task &&
        one.modality === modality &&
        one.labels === labels &&
        [one.better, one.than].includes(arm),
    );
  const tasks = fineTuned.filter((task) => tasksOf(experiment).includes(task));
  const all = seeds.flatMap((seed) =>
    tasks.flatMap((task) =>
      measured.flatMap((modality) =>
        labels.flatMap((number) =>
          [...Object.keys(arms), scratch].flatMap((arm): FineTuning[] => {
            const one = { arm, task, modality, labels: number };
            return asked(one)
              ? [{ ...one, seed, name: `${name}-${arm}-${task[0]}${modality}-n${number}-s${seed}` }]
              : [];
          }),
        ),
      ),
    ),
  );
  const long = all.find(({ name }) => name.length > longestRunName);
  if (long)
    throw new UnimissError('config', `"${long.name}" is longer than the ${longestRunName} characters of a run's name`, {
      place: 'name',
      remedy: 'Shorten the name of the experiment or of its arms.',
    });
  return all;
}

/** What a recipe does not decide. */
export interface Given {
  readonly place: string;
  /** Absolute paths: the labelled images, the split, the run that was pre-trained. */
  readonly data: string;
  readonly layout: 'table' | 'pairs';
  readonly split: string;
  readonly from: string | null;
}

/** The configuration of a fine-tuning, with every choice made. @throws UnimissError 'config' that names the field */
export function fineTuningConfig(
  { name: experiment, base, arms, fineTuning }: Experiment,
  { task, modality, seed, name, labels: _, arm }: FineTuning,
  { place, data, layout, split, from }: Given,
): FinetuneConfig {
  const recipe = fineTuning?.recipe ?? {};
  const parts = recipeParts.flatMap((part) =>
    ['all', modality, task, `${task}-${modality}`].includes(part) ? (recipe[part] ?? []) : [],
  );
  const fixed = {
    ...{ task: 'finetune', name, experiment, problem: task, modality },
    data: { path: data, layout, split, fold: 0 },
    start: { from },
    // The images for validation are for curves: they decide nothing.
    train: { seed, validation: { largestComponent: false } },
  };
  // A fine-tuning has the network of its pre-training unless the recipe says otherwise.
  const pretraining = merged(base, arms[arm]);
  const model = isObject(pretraining) ? { model: networkOf(pretraining), engine: pretraining.engine } : {};
  // A run from scratch has no pre-trained part that could wait or be frozen.
  const fromScratch = arm === scratch ? { train: { freeze: 'none', headFirstEpochs: 0 } } : {};
  const given = [...parts, fixed, fromScratch].reduce<unknown>(merged, model);
  const config = parseConfig(JSON.stringify(given, null, 2), place);
  return requireFinetune(resolveConfig(config, { baseDir: '/' }));
}

/** Preset and stages in a configuration of pre-training. */
function networkOf({ model }: Record<string, unknown>): Record<string, unknown> {
  if (!isObject(model)) return {};
  return Object.fromEntries(Object.entries(model).filter(([key]) => key === 'preset' || key === 'stages'));
}
