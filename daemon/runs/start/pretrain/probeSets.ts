import type { PretrainConfig } from '../../../../protocol/config/index.ts';
import { UnimissError } from '../../../../protocol/errors.ts';
import type { Modality } from '../../../../protocol/modality.ts';
import { openLabelled } from '../../../data/datasets/labelled/openLabelled.ts';
import { labelledCases, makeSplit } from '../../../data/datasets/labelled/split/split.ts';
import type { Finding, LabelledDataset, OpenOptions } from '../../../data/datasets/labelled/types.ts';
import type { Sample } from '../../../data/datasets/unlabelled.ts';
import type { HeldOut } from '../../../evaluate/features/heldOut.ts';

/** Folds by patient of a set that does not divide itself. */
const folds = 5;

/** Labelled images of one kind. */
export interface ProbeSet {
  readonly path: string;
  readonly modality: Modality;
  readonly samples: readonly Sample[];
  readonly classes: readonly string[];
  /** The class of each sample. */
  readonly labels: readonly number[];
  /** Numbers of samples. */
  readonly folds: readonly HeldOut[];
  /** Cases that cannot be used, and other findings. */
  readonly problems: readonly Finding[];
}

/**
 * Opens the labelled images of a configuration.
 * @throws UnimissError 'data' for a set that cannot be used: labels of voxels, several classes for an image, two sets of one kind
 */
export async function openProbeSets({ probe }: PretrainConfig, options: OpenOptions = {}): Promise<ProbeSet[]> {
  const sets: ProbeSet[] = [];
  for (const path of probe?.data ?? []) {
    const set = probeSetOf(await openLabelled(path, options));
    if (sets.some(({ modality }) => modality === set.modality))
      throw new UnimissError('data', `is a second set of ${set.modality} images`, {
        place: path,
        remedy: 'Name one set of pictures and one of volumes in probe.data, or join the two.',
      });
    sets.push(set);
  }
  return sets;
}

function probeSetOf(dataset: LabelledDataset): ProbeSet {
  const { path, modality, labels, problems } = dataset;
  if (dataset.problem !== 'classification' || !dataset.exclusive)
    throw new UnimissError('data', 'has no class for each image', {
      place: path,
      remedy: 'Name a table with the columns path and label, or folders by class, in probe.data.',
    });
  const cases = labelledCases(dataset).flatMap((one) => ('classes' in one ? [one] : []));
  const numberOf = new Map(cases.map(({ id }, number) => [id, number]));
  const numbers = (ids: readonly string[]) => ids.flatMap((id) => numberOf.get(id) ?? []);
  const split = makeSplit(dataset, { folds, seed: 0 });
  const test = numbers(split.test);
  const isTested = new Set(test);
  return {
    ...{ path, modality, problems, classes: labels.map(({ name }) => name) },
    samples: cases.map(({ id, channels: [file = id] }) => ({ id, path: file, kind: modality })),
    labels: cases.map(({ classes }) => classes?.[0] ?? -1),
    folds:
      test.length > 0
        ? [{ known: [...cases.keys()].filter((number) => !isTested.has(number)), tested: test }]
        : split.folds.map(({ train, validation }) => ({ known: numbers(train), tested: numbers(validation) })),
  };
}
