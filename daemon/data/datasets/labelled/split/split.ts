import { Random } from '../../../random.ts';
import type { ClassificationCase, LabelledDataset, SegmentationCase } from '../types.ts';

/** Which cases are trained on, validated and tested on, by their ids. */
export interface Split {
  /** At least one fold; training and validation cases of each. */
  readonly folds: readonly { readonly train: readonly string[]; readonly validation: readonly string[] }[];
  readonly test: readonly string[];
  /** null: as given by the data set or a file. */
  readonly seed: number | null;
}

export interface SplitOptions {
  readonly folds: number;
  readonly seed: number;
  /** What voxels of label maps show; without it, only masks and classes of images are known. */
  readonly present?: PresentClasses;
}

/** Numbers of the classes that a case has, without the background, by its id. */
export type PresentClasses = ReadonlyMap<string, readonly number[]>;

/** The cases of a data set whose label is known. */
export function labelledCases({ problem, cases }: LabelledDataset): readonly (SegmentationCase | ClassificationCase)[] {
  return problem === 'segmentation'
    ? cases.filter(({ label }) => label !== null)
    : cases.filter(({ classes }) => classes !== null);
}

/**
 * Divides the labelled cases of a data set. Those that it says are for testing are; where it names validation cases, there is one fold, as
 * given. Otherwise the other cases are divided into folds by patient, stratified by class (of segmentations: by what is labelled in them), with
 * the seed: all cases of a patient are in one
 * fold, and for classes that each belong to one case of one patient, their numbers in two folds differ by one at most.
 */
export function makeSplit(dataset: LabelledDataset, { folds, seed, present = new Map() }: SplitOptions): Split {
  const cases = labelledCases(dataset);
  const ids = (side: 'train' | 'validation' | 'test' | null) =>
    cases.filter(({ split }) => split === side).map(({ id }) => id);
  const test = ids('test');
  const validation = ids('validation');
  if (validation.length > 0) {
    const train = cases.filter(({ split }) => split === 'train' || split === null).map(({ id }) => id);
    return { folds: [{ train, validation }], test, seed: null };
  }
  const rest = cases.filter(({ split }) => split !== 'test');
  const foldOf = assignPatients(patientsOf(rest, present), folds, seed);
  const inFold = (fold: number, inside: boolean) =>
    rest.filter(({ patient }) => (foldOf.get(patient) === fold) === inside).map(({ id }) => id);
  return {
    folds: Array.from({ length: folds }, (_, fold) => ({ train: inFold(fold, false), validation: inFold(fold, true) })),
    test,
    seed,
  };
}

interface Patient {
  readonly name: string;
  readonly cases: number;
  readonly classes: ReadonlySet<number>;
}

function patientsOf(cases: readonly (SegmentationCase | ClassificationCase)[], present: PresentClasses): Patient[] {
  const found = new Map<string, { cases: number; classes: Set<number> }>();
  for (const one of cases) {
    const patient = found.get(one.patient) ?? { cases: 0, classes: new Set<number>() };
    patient.cases++;
    for (const number of present.get(one.id) ?? classesOf(one)) patient.classes.add(number);
    found.set(one.patient, patient);
  }
  return [...found].map(([name, patient]) => ({ name, ...patient })).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** What is known of a case without reading voxels: its classes, or the structures that have a mask. */
function classesOf(one: SegmentationCase | ClassificationCase): readonly number[] {
  if ('classes' in one) return one.classes ?? [];
  return one.label?.kind === 'masks' ? one.label.paths.flatMap((path, i) => (path === null ? [] : [i])) : [];
}

/**
 * Iterative stratification (Sechidis et al. 2011), by patient: the rarest class first, each of its patients into the fold that lacks it
 * most; of equal ones, into the one with the fewest patients.
 */
function assignPatients(patients: readonly Patient[], folds: number, seed: number): Map<string, number> {
  const order = new Random('folds', seed).shuffle([...patients]);
  const ties = new Random('folds of equal need', seed).shuffle(Array.from({ length: folds }, (_, fold) => fold));
  const sizes = new Array<number>(folds).fill(0);
  const counts = Array.from({ length: folds }, () => new Map<number, number>());
  const foldOf = new Map<string, number>();
  const assign = (patient: Patient, rarest: number | undefined) => {
    const has = (fold: number) => (rarest === undefined ? 0 : (counts[fold]!.get(rarest) ?? 0));
    const [best = 0] = ties.toSorted((a, b) => has(a) - has(b) || sizes[a]! - sizes[b]!);
    foldOf.set(patient.name, best);
    sizes[best]!++;
    for (const number of patient.classes) counts[best]!.set(number, (counts[best]!.get(number) ?? 0) + 1);
  };
  let left = order;
  while (left.length > 0) {
    const number = rarestClass(left);
    const now = number === undefined ? left : left.filter(({ classes }) => classes.has(number));
    for (const patient of now) assign(patient, number);
    left = number === undefined ? [] : left.filter(({ classes }) => !classes.has(number));
  }
  return foldOf;
}

function rarestClass(patients: readonly Patient[]): number | undefined {
  const counts = new Map<number, number>();
  for (const { classes } of patients) for (const number of classes) counts.set(number, (counts.get(number) ?? 0) + 1);
  return [...counts].sort(([a, n], [b, m]) => n - m || a - b)[0]?.[0];
}
