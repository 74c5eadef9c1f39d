import { count } from '../../../../protocol/words.ts';
import type { PreparedSummary } from '../../../data/loader/labelled/types.ts';
import type { Finding } from '../../../train/training.ts';
import type { RunCases } from './cases.ts';

/** Names that a message lists. */
const listed = 5;

/**
 * A warning for classes of which no training case has a voxel. A classification without a training case of a class is refused before
 * (`checkSplit`); of a segmentation, the other classes can be learned.
 */
export function absentClasses(
  {
    dataset,
    training,
  }: Pick<RunCases, 'training'> & { dataset: Pick<RunCases['dataset'], 'problem' | 'exclusive' | 'labels' | 'path'> },
  summaries: readonly Pick<PreparedSummary, 'voxels'>[],
): Finding[] {
  const { problem, exclusive, labels, path } = dataset;
  if (problem !== 'segmentation') return [];
  const shown = new Set(training.flatMap((number) => (summaries[number]?.voxels ?? []).map(([label]) => label)));
  // Prepared labels are numbered from 1, which exclusive classes have the background in front of.
  const absent = labels.filter((_, k) => (exclusive ? k > 0 && !shown.has(k) : !shown.has(k + 1)));
  if (absent.length === 0) return [];
  const names = absent.slice(0, listed).map(({ name }) => `“${name}”`);
  const more = absent.length > listed ? ` and ${count(absent.length - listed, 'more', 'more')}` : '';
  return [
    {
      event: 'warning',
      message:
        `${path}: no training case has a voxel of ${names.join(', ')}${more}, so the network cannot learn ${absent.length === 1 ? 'it' : 'them'}. ` +
        'Add such cases, choose another fold or seed, or remove these classes.',
    },
  ];
}
