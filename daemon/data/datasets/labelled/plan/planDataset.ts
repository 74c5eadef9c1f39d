import { UnimissError } from '../../../../../protocol/errors.ts';
import { checkLabelled } from '../measure/checkLabelled.ts';
import type { ThreadOptions } from '../measure/inThreads.ts';
import { openLabelled } from '../openLabelled.ts';
import { comparePreset, type DatasetPreset } from '../presets/index.ts';
import { checkSplit } from '../split/checkSplit.ts';
import { measuredClasses } from '../split/presentClasses.ts';
import { makeSplit, type Split } from '../split/split.ts';
import type { Finding, LabelledDataset, Layout } from '../types.ts';
import { type Fingerprint, fingerprintOf } from './fingerprint.ts';
import type { Machine } from './machine.ts';
import { type DataPlan, planFor } from './planFor.ts';
import { renderPlan } from './renderPlan.ts';

export interface PlanDatasetOptions extends ThreadOptions {
  readonly layout?: Layout;
  /** The number of the volume that is taken from files with several (4-D), from 0. Default: such files are refused. */
  readonly volume?: number;
  readonly machine: Machine;
  readonly folds?: number;
  readonly seed?: number;
  readonly preset?: DatasetPreset;
}

export interface PlannedDataset {
  readonly dataset: LabelledDataset;
  readonly fingerprint: Fingerprint;
  readonly plan: DataPlan;
  readonly split: Split;
  /** Everything that is wrong, of files, voxels and folds. */
  readonly findings: readonly Finding[];
  /** A `*.unimiss.jsonc` file. */
  readonly config: string;
}

/**
 * Looks at a labelled data set and plans a fine-tuning run for it.
 * @throws UnimissError('data') where there is no usable labelled case, or it is not what the preset expects; 'interrupted'
 */
export async function planDataset(path: string, options: PlanDatasetOptions): Promise<PlannedDataset> {
  const { layout, volume, machine, folds = 5, seed = 0, preset, ...threads } = options;
  const chosen = volume === undefined ? {} : { volume };
  const dataset = await openLabelled(path, { ...threads, ...chosen, ...(layout && { layout }) });
  const differences = preset ? comparePreset(preset, dataset) : [];
  const { measures, findings: found } = await checkLabelled(dataset, { ...threads, ...chosen });
  const fingerprint = fingerprintOf(dataset, measures);
  if (fingerprint.cases === 0)
    throw new UnimissError('data', 'has no labelled case that can be used', {
      place: dataset.path,
      remedy: [...dataset.problems, ...found]
        .map(({ place, what }) => `${place} ${what}.`)
        .slice(0, 20)
        .join('\n  '),
    });
  const present = dataset.problem === 'segmentation' ? measuredClasses(dataset, measures) : new Map();
  const split = makeSplit(dataset, { folds, seed, present });
  const wrong = checkSplit(split, dataset, dataset.path, present);
  const findings = [...dataset.problems, ...differences, ...found, ...wrong];
  const plan = planFor(fingerprint, machine, { folds, ...(preset && { fixed: preset.fixed }) });
  const config = renderPlan({
    dataset,
    fingerprint,
    plan,
    folds,
    seed,
    ...chosen,
    device: machine.gpu ? 'cuda' : 'cpu',
    findings,
    ...(preset && {
      train: preset.train,
      preset: [`Preset ${preset.title}; measured by ${preset.metrics.join(', ')}. ${preset.page}`],
    }),
  });
  return { dataset, fingerprint, plan, split, findings, config };
}
