import { join } from 'node:path';
import { stringify } from 'csv-stringify/sync';
import type { Predicted } from '../../../../protocol/jobs/predictMessages.ts';
import { writeAtomically } from '../../../files/atomic.ts';
import type { NetworkPlan } from '../../folder/networkPlan.ts';
import { privateMode } from './writeLabels.ts';

type Cell = string | number | boolean;

/**
 * Writes the table of all images of the folder: `predictions.csv` of a classification, `statistics.csv` of a segmentation if there are
 * statistics.
 * @returns its path; null where there is nothing to tabulate
 */
export async function writeTable(
  out: string,
  all: readonly Predicted[],
  plan: Pick<NetworkPlan, 'problem' | 'labels' | 'classes'>,
): Promise<string | null> {
  if (plan.problem === 'classification') {
    if (all.length === 0) return null;
    const names = plan.classes.map(({ name }) => name);
    const rows = all.map(({ image, probabilities = {} }) => [image, ...choice(names, probabilities, plan.labels)]);
    return write(join(out, 'predictions.csv'), [['path', 'predicted', ...names], ...rows]);
  }
  const rows = all.flatMap(({ image, statistics = [] }) =>
    statistics.map((each): Cell[] => [
      image,
      each.class,
      each.voxels,
      each.milliliters ?? '',
      each.mean ?? '',
      each.touchesBorder,
    ]),
  );
  if (rows.length === 0) return null;
  return write(join(out, 'statistics.csv'), [['path', 'class', 'voxels', 'ml', 'mean', 'touchesBorder'], ...rows]);
}

/** The predicted class (of overlapping ones: all above one half), and the probability of each. */
function choice(
  names: readonly string[],
  probabilities: Readonly<Record<string, number>>,
  labels: NetworkPlan['labels'],
): Cell[] {
  const values = names.map((name) => probabilities[name] ?? Number.NaN);
  const chosen =
    labels === 'exclusive'
      ? (names[values.indexOf(Math.max(...values))] ?? '')
      : names.filter((_, k) => values[k]! > 0.5).join(' ');
  return [chosen, ...values.map((value) => value.toPrecision(6))];
}

async function write(file: string, rows: readonly (readonly Cell[])[]): Promise<string> {
  const text = stringify(
    rows.map((row) => [...row]),
    { cast: { boolean: String } },
  );
  await writeAtomically(file, (handle) => handle.writeFile(text), { mode: privateMode });
  return file;
}
