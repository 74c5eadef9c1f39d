import type { ClassInCase } from '../../../protocol/evaluation/segmentation.ts';
import { describeClass, type MeasureOptions, measureVoxels } from './classInCase.ts';
import { countClasses, type LabelPair } from './counts.ts';
import { type EvaluatedClass, type Grid, toGrid3 } from './labelGrid.ts';

/** The numbers of all classes of a case, in this thread. */
export function measureClasses(
  pair: LabelPair,
  classes: readonly EvaluatedClass[],
  grid: Grid,
  options: MeasureOptions,
): ClassInCase[] {
  const grid3 = toGrid3(grid);
  const counts = countClasses(pair, classes, grid3);
  return classes.map((one, i) => {
    const own = counts[i]!;
    return describeClass(one, own, measureVoxels(pair, own, one.values, grid3, options), grid3, options);
  });
}
