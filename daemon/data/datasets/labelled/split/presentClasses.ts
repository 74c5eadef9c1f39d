import { UnimissError } from '../../../../../protocol/errors.ts';
import type { CaseMeasure } from '../measure/caseMeasure.ts';
import { inThreads, type ThreadOptions } from '../measure/inThreads.ts';
import type { LabelledDataset } from '../types.ts';
import type { PresentClasses } from './split.ts';

/** The numbers of a data set's classes beside the background. */
function foreground({ problem, exclusive, labels }: LabelledDataset): number[] {
  return [...labels.keys()].slice(problem === 'segmentation' && exclusive ? 1 : 0);
}

/** The classes of each case, from what was measured. The same as `readPresentClasses` finds. */
export function measuredClasses(dataset: LabelledDataset, measures: readonly CaseMeasure[]): PresentClasses {
  const classes = foreground(dataset);
  return new Map(
    measures.flatMap(({ id, label }) =>
      label ? [[id, classes.filter((number) => (label.voxels[number] ?? 0) > 0)] as const] : [],
    ),
  );
}

/**
 * The classes of each case that has a label map, from its values; of other cases names say enough. Maps that cannot be read are left out:
 * their cases fail when they are prepared.
 * @throws UnimissError 'interrupted' where `signal` is aborted
 */
export async function readPresentClasses(
  dataset: LabelledDataset,
  options: ThreadOptions = {},
): Promise<PresentClasses> {
  if (dataset.problem !== 'segmentation') return new Map();
  const maps = dataset.cases.flatMap(({ id, label }) => (label?.kind === 'map' ? [{ id, path: label.path }] : []));
  const results = await inThreads(
    maps.map(({ path }) => ({ kind: 'values', path })),
    options,
  );
  const classes = foreground(dataset).map((number) => ({ number, values: dataset.labels[number]?.values ?? [] }));
  return new Map(
    results.flatMap((result, i) => {
      const id = maps[i]?.id;
      if (id === undefined || result instanceof UnimissError || result.kind !== 'values') return [];
      const there = new Set(result.values);
      const own = classes.filter(({ values }) => values.some((value) => there.has(value)));
      return [[id, own.map(({ number }) => number)] as const];
    }),
  );
}
