import { UnimissError } from '../../../../../protocol/errors.ts';
import type { Finding, LabelledDataset } from '../types.ts';
import { bcv } from './bcv.ts';
import { chaos } from './chaos.ts';
import { cxrCovid19 } from './cxrCovid19.ts';
import { isic } from './isic.ts';
import { jsrt } from './jsrt.ts';
import { ricord } from './ricord.ts';
import type { DatasetPreset } from './types.ts';

export type { DatasetPreset } from './types.ts';

/** The paper's data sets, and two of other modalities. */
export const datasetPresets: readonly DatasetPreset[] = [bcv, ricord, jsrt, cxrCovid19, chaos, isic];

/**
 * What of a data set is not as a preset expects it: missing and further labels.
 * @throws UnimissError('data') where it is another problem altogether
 */
export function comparePreset(preset: DatasetPreset, dataset: LabelledDataset): Finding[] {
  const { problem, modality, exclusive, page, title } = preset;
  const kind = (of: Pick<DatasetPreset, 'problem' | 'modality' | 'exclusive'>) =>
    `${of.modality} ${of.problem} with ${of.exclusive ? 'exclusive' : 'overlapping'} labels`;
  if (problem !== dataset.problem || modality !== dataset.modality || exclusive !== dataset.exclusive)
    throw new UnimissError('data', `is ${kind(dataset)}, but the preset ${title} is ${kind(preset)}`, {
      place: dataset.path,
      remedy: `${page} shows how to lay out the files. Without --preset any data set can be planned.`,
    });
  const plain = (name: string) => name.toLowerCase().replaceAll(/[\s_-]+/g, '');
  const own = dataset.labels.filter(
    ({ values }) => !(dataset.problem === 'segmentation' && exclusive && values.includes(0)),
  );
  const names = new Set(own.map(({ name }) => plain(name)));
  const expected = new Set(preset.labels.map(plain));
  // A single mask has no name of its own.
  if (preset.labels.length === 1 && own.length === 1) return [];
  const say = (what: string): Finding => ({
    severity: 'warning',
    kind: 'preset',
    place: dataset.path,
    what,
    remedy: `${page} lists the labels. Compare numbers with publications only where they are the same.`,
  });
  return [
    ...preset.labels
      .filter((name) => !names.has(plain(name)))
      .map((name) => say(`lacks the label “${name}” of ${title}`)),
    ...own
      .filter(({ name }) => !expected.has(plain(name)))
      .map(({ name }) => say(`has the label “${name}”, which ${title} has not`)),
  ];
}
