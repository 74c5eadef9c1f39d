import { existsSync } from 'node:fs';
import type { FinetuneConfig } from '../../../../protocol/config/index.ts';
import { UnimissError } from '../../../../protocol/errors.ts';
import { openLabelled } from '../../../data/datasets/labelled/openLabelled.ts';
import { checkSplit } from '../../../data/datasets/labelled/split/checkSplit.ts';
import { readPresentClasses } from '../../../data/datasets/labelled/split/presentClasses.ts';
import {
  labelledCases,
  makeSplit,
  type PresentClasses,
  type Split,
} from '../../../data/datasets/labelled/split/split.ts';
import { readSplit, writeSplit } from '../../../data/datasets/labelled/split/splitFile.ts';
import type {
  ClassificationCase,
  LabelledDataset,
  OpenOptions,
  SegmentationCase,
} from '../../../data/datasets/labelled/types.ts';
import type { TrainingCase } from '../../../data/loader/labelled/types.ts';
import { ignoredLabel } from '../../../data/prepared/types.ts';
import type { Finding } from '../../../train/training.ts';
import type { RunFolder } from '../../folder/runFolder.ts';
import { sidesOf } from './sides.ts';

/** The cases of a run: those that are trained on and validated, by their positions in one list. */
export interface RunCases {
  readonly dataset: LabelledDataset;
  readonly cases: readonly TrainingCase[];
  /** Who each case is of. */
  readonly patients: readonly string[];
  readonly training: readonly number[];
  readonly validation: readonly number[];
  readonly findings: readonly Finding[];
}

/**
 * Opens a run's data set and divides it. The split is kept in the run's folder, so that a resumed run has the same cases even where the
 * data set has grown.
 * @throws UnimissError 'data' for a data set of another problem than the configuration's, or one that cannot be used
 */
export async function openCases(config: FinetuneConfig, run: RunFolder): Promise<RunCases> {
  const { data } = config;
  const dataset = await openLabelled(data.path, openOptions(data));
  requireProblem(config, dataset);
  requireFewClasses(dataset);
  const split = await splitOf(config, dataset, run);
  const byId = new Map(labelledCases(dataset).map((one) => [one.id, one]));
  const [train, validation] = sidesOf(data.fold, split, data.split ?? data.path);
  const ids = [...new Set([...train, ...validation])];
  const numberOf = new Map(ids.map((id, number) => [id, number]));
  const cases = ids.map((id) => {
    const found = byId.get(id);
    if (found) return trainingCase(found, dataset);
    throw new UnimissError('data', `has no labelled case "${id}"`, {
      place: dataset.path,
      remedy: `Restore its files, or start a new run. The run’s cases are listed in ${run.splitFile}.`,
    });
  });
  const numbers = (side: readonly string[]) => side.map((id) => numberOf.get(id) ?? 0);
  const findings = dataset.problems.map(
    ({ severity, place, what, remedy, case: id }): Finding => ({
      event: severity === 'error' && id !== undefined ? 'broken' : 'warning',
      message: `${place}: ${what}. ${remedy}`,
      ...(id !== undefined && { file: id }),
    }),
  );
  const shown = data.fold === 'all' ? [memoryOnly] : [];
  return {
    dataset,
    cases,
    patients: ids.map((id) => byId.get(id)?.patient ?? id),
    training: numbers(train),
    validation: numbers(validation),
    findings: [...findings, ...shown],
  };
}

/** How the configuration says that a data set is opened. */
export function openOptions({ layout, volume }: FinetuneConfig['data']): Pick<OpenOptions, 'layout' | 'volume'> {
  return { ...(layout !== 'auto' && { layout }), ...(volume !== null && { volume }) };
}

const memoryOnly: Finding = {
  event: 'warning',
  message: 'The run validates on the cases that it trains on (data.fold is "all"): its numbers show memory, not skill.',
};

/** @throws UnimissError 'data' for a data set of another problem than the configuration's */
export function requireProblem(config: FinetuneConfig, dataset: LabelledDataset): void {
  const [first] = differencesFrom(config, dataset);
  if (!first) return;
  const { field, given, found } = first;
  throw new UnimissError(
    'data',
    `is for ${field === 'labels' ? `${found} labels` : found}, but \`${field}\` is "${given}"`,
    {
      place: dataset.path,
      remedy: `Correct \`${field}\`, or run \`unimiss plan\` again.`,
    },
  );
}

/** Where a configuration says something else about a data set than its files. */
export function differencesFrom(
  { problem, modality, labels }: Pick<FinetuneConfig, 'problem' | 'modality' | 'labels'>,
  dataset: Pick<LabelledDataset, 'problem' | 'modality' | 'exclusive'>,
): { readonly field: string; readonly given: string; readonly found: string }[] {
  const all = [
    { field: 'problem', given: problem, found: dataset.problem },
    { field: 'modality', given: modality, found: dataset.modality },
    { field: 'labels', given: labels, found: dataset.exclusive ? 'exclusive' : 'overlapping' },
  ];
  return all.filter(({ given, found }) => given !== found);
}

/** Labels of voxels are kept in bytes, of which one value stands for voxels that are not known. */
function requireFewClasses({ problem, exclusive, labels, path }: LabelledDataset): void {
  if (problem !== 'segmentation' || !exclusive || labels.length <= ignoredLabel) return;
  throw new UnimissError('data', `has ${labels.length} classes, but at most ${ignoredLabel} are possible`, {
    place: path,
    remedy: 'Join classes, or train several networks on fewer each.',
  });
}

/** That of the run's folder, else the configuration's file, else a new one. */
async function splitOf(config: FinetuneConfig, dataset: LabelledDataset, run: RunFolder): Promise<Split> {
  if (existsSync(run.splitFile)) return readSplit(run.splitFile);
  // Of label maps the values tell which classes a case has.
  const present = config.data.split === null ? await readPresentClasses(dataset) : undefined;
  const split = await chooseSplit(config, dataset, present);
  await writeSplit(run.splitFile, split);
  return split;
}

/**
 * The split of a new run: the configuration's file, else made.
 * @param present what is labelled in each case. Without it, the folds of a segmentation are of other cases, but about as large
 * @throws UnimissError 'data' where it does not fit the data set
 */
export async function chooseSplit(
  { data }: FinetuneConfig,
  dataset: LabelledDataset,
  present: PresentClasses = new Map(),
): Promise<Split> {
  const { folds, seed } = data;
  const split = data.split === null ? makeSplit(dataset, { folds, seed, present }) : await readSplit(data.split);
  const place = data.split ?? data.path;
  const [first, ...others] = data.fold === 'all' ? [] : checkSplit(split, dataset, place);
  if (!first) return split;
  const more = others.slice(0, 9).map(({ what }) => `\n  ${what}`);
  throw new UnimissError('data', `${first.what}${more.join('')}`, { place: first.place, remedy: first.remedy });
}

function trainingCase(
  one: SegmentationCase | ClassificationCase,
  { exclusive, labels, ignore }: LabelledDataset,
): TrainingCase {
  const { id, channels: images } = one;
  if ('classes' in one) return { id, images, classes: one.classes ?? [] };
  if (!one.label) throw new UnimissError('internal', 'a case without labels', { place: id });
  const classes = labels.map(({ values }) => values);
  return { id, images, labels: { overlapping: !exclusive, classes, ignore, from: one.label } };
}
