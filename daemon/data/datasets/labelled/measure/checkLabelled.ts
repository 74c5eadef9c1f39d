import { UnimissError } from '../../../../../protocol/errors.ts';
import type { Finding, LabelledDataset, OpenOptions } from '../types.ts';
import type { CaseMeasure } from './caseMeasure.ts';
import { findingsOf } from './findings.ts';
import { inThreads, type ThreadOptions } from './inThreads.ts';

export interface Checked {
  /** One a case, in the data set's order. */
  readonly measures: readonly CaseMeasure[];
  /** What the voxels show; `dataset.problems` is what was known before. */
  readonly findings: readonly Finding[];
}

/**
 * Reads all images and labels in worker threads and finds what is wrong with them, everything at once.
 * @throws UnimissError 'interrupted' where `signal` is aborted
 */
export async function checkLabelled(
  dataset: LabelledDataset,
  { volume, ...options }: ThreadOptions & Pick<OpenOptions, 'volume'> = {},
): Promise<Checked> {
  const { modality, exclusive, labels, ignore } = dataset;
  const results = await inThreads(
    dataset.cases.map((one) => {
      const label = 'label' in one ? one.label : null;
      const { id, channels } = one;
      const task = {
        id,
        channels,
        label,
        modality,
        exclusive,
        labels,
        ignore,
        ...(volume !== undefined && { volume }),
      };
      return { kind: 'case', task };
    }),
    options,
  );
  const measures = results.map((result) => {
    if (!(result instanceof UnimissError) && result.kind === 'case') return result.measure;
    throw result instanceof UnimissError ? result : new UnimissError('internal', 'a thread answered something else');
  });
  return { measures, findings: findingsOf(dataset, measures) };
}
