import { join } from 'node:path';
import { stringify } from 'csv-stringify/sync';
import type { Predicted } from '../../../../protocol/jobs/predictMessages.ts';
import { writeAtomically } from '../../../files/atomic.ts';
import type { NetworkPlan } from '../../folder/networkPlan.ts';
import { privateMode } from './writeLabels.ts';

type Cell = string | number | boolean;

/**
 * Writes the table of all images of the folder: `predictions.csv` of a classification (with `patients.csv` beside it), `statistics.csv` of a segmentation if there are
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
    await writePatients(join(out, 'patients.csv'), all, names, plan.labels);
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

/** The table of the patients: the mean over the images of each. Images whose patient is unknown are not in it; without any, there is none. */
async function writePatients(
  file: string,
  all: readonly Predicted[],
  names: readonly string[],
  labels: NetworkPlan['labels'],
): Promise<void> {
  const byPatient = new Map<string, Predicted[]>();
  for (const one of all)
    if (one.patient !== undefined) byPatient.set(one.patient, [...(byPatient.get(one.patient) ?? []), one]);
  if (byPatient.size === 0) return;
  const rows = [...byPatient].map(([patient, images]) => {
    const mean = (name: string) =>
      images.reduce((sum, { probabilities }) => sum + (probabilities?.[name] ?? Number.NaN), 0) / images.length;
    const means = Object.fromEntries(names.map((name) => [name, mean(name)]));
    return [patient, images.length, ...choice(names, means, labels)];
  });
  await write(file, [['patient', 'images', 'predicted', ...names], ...rows]);
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
