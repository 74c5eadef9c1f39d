import type { FinetuneConfig } from '../../../../protocol/config/index.ts';
import { UnimissError } from '../../../../protocol/errors.ts';
import { openLabelled } from '../../../data/datasets/labelled/openLabelled.ts';
import { labelledCases } from '../../../data/datasets/labelled/split/split.ts';
import { readSplit } from '../../../data/datasets/labelled/split/splitFile.ts';
import type { ClassificationCase, LabelledDataset, SegmentationCase } from '../../../data/datasets/labelled/types.ts';
import type { RunFolder } from '../../folder/runFolder.ts';
import { openOptions } from '../../start/finetune/cases.ts';

export interface SplitCases {
  readonly dataset: LabelledDataset;
  /** The number of the volume that is taken from files with several; null: there are none. */
  readonly volume: number | null;
  readonly split: 'test' | 'validation';
  readonly cases: readonly (SegmentationCase | ClassificationCase)[];
  /** Those of the run's validation: thresholds are chosen on them. */
  readonly validation: readonly (SegmentationCase | ClassificationCase)[];
}

/**
 * The cases of a run's split, which lies in its folder.
 * @param wanted default: the test cases, or the validation cases where there are none
 * @throws UnimissError 'data' where the split has no such case, or a case is gone
 */
export async function splitCases(
  config: FinetuneConfig,
  run: RunFolder,
  wanted: 'test' | 'validation' | undefined,
): Promise<SplitCases> {
  const { data } = config;
  const dataset = await openLabelled(data.path, openOptions(data));
  const { folds, test } = await readSplit(run.splitFile);
  const validationIds =
    data.fold === 'all' ? folds.flatMap(({ validation }) => validation) : (folds[data.fold]?.validation ?? []);
  const split = wanted ?? (test.length > 0 ? 'test' : 'validation');
  const byId = new Map(labelledCases(dataset).map((one) => [one.id, one]));
  const casesOf = (ids: readonly string[]) =>
    [...new Set(ids)].map((id) => {
      const found = byId.get(id);
      if (found) return found;
      throw new UnimissError('data', `has no labelled case "${id}"`, {
        place: dataset.path,
        remedy: `Restore its files. The split of the run is in ${run.splitFile}.`,
      });
    });
  const cases = casesOf(split === 'test' ? test : validationIds);
  if (cases.length === 0)
    throw new UnimissError('data', `has no ${split} cases`, {
      place: dataset.path,
      remedy:
        split === 'test'
          ? 'Evaluate the validation cases (--split validation), or give the data set test cases; see docs/datasets.md.'
          : 'Train with a fold that has validation cases.',
    });
  return { dataset, volume: data.volume, split, cases, validation: casesOf(validationIds) };
}
