import type { Finding, LabelledCase, LabelledDataset, SplitName } from '../types.ts';
import { labelledCases, type PresentClasses, type Split } from './split.ts';

/** Patients whom a data set itself puts on several sides. */
export function checkSides(cases: readonly LabelledCase[]): Finding[] {
  const sides = new Map<string, Map<SplitName, LabelledCase>>();
  for (const one of cases) {
    if (one.split === null) continue;
    const own = sides.get(one.patient) ?? new Map<SplitName, LabelledCase>();
    if (!own.has(one.split)) own.set(one.split, one);
    sides.set(one.patient, own);
  }
  return [...sides].flatMap(([patient, own]) => {
    const [first, ...others] = own;
    return first ? others.map((other) => onBothSides(patient, first, other)) : [];
  });
}

function onBothSides(
  patient: string,
  [oneSide, one]: readonly [SplitName, LabelledCase],
  [otherSide, other]: readonly [SplitName, LabelledCase],
): Finding {
  return {
    severity: 'error',
    kind: 'patientOnBothSides',
    place: other.channels[0] ?? other.id,
    what: `is for ${otherSide}, but “${one.id}” of the same patient (${patient}) is for ${oneSide}`,
    remedy: 'Put all images of a patient on one side.',
  };
}

/**
 * What is wrong with a split for a data set: cases that are not there or on two sides, patients on two sides, folds without cases or classes.
 * @param present of segmentations, what is labelled in each case
 */
export function checkSplit(
  { folds, test }: Split,
  dataset: LabelledDataset,
  place: string,
  present: PresentClasses = new Map(),
): Finding[] {
  const byId = new Map(labelledCases(dataset).map((one) => [one.id, one]));
  const findings: Finding[] = [];
  const error = (kind: Finding['kind'], what: string, remedy: string) =>
    findings.push({ severity: 'error', kind, place, what, remedy });
  const unknown = new Set(
    [...folds.flatMap(({ train, validation }) => [...train, ...validation]), ...test].filter((id) => !byId.has(id)),
  );
  for (const id of unknown)
    error('split', `names the case “${id}”, which has no labelled image`, 'Remove it, or correct its name.');
  for (const side of ['train', 'validation'] as const) {
    const empty = folds.flatMap((fold, number) => (fold[side].some((id) => byId.has(id)) ? [] : [number]));
    const patients = new Set([...byId.values()].map(({ patient }) => patient)).size;
    if (empty.length > 0)
      error(
        'split',
        `has no ${side === 'train' ? 'training' : side} case in fold ${empty.join(', ')} (${patients} patients in all)`,
        'Use fewer folds (at most one a patient), or add cases of other patients.',
      );
  }
  for (const [number, { train, validation }] of folds.entries()) {
    const told = new Map<string, { side: string; id: string }>();
    for (const [side, ids] of [
      ['training', train],
      ['validation', validation],
      ['test', test],
    ] as const)
      for (const id of ids) {
        const one = byId.get(id);
        if (!one) continue;
        const before = told.get(one.patient);
        if (!before) told.set(one.patient, { side, id });
        else if (before.id === id && before.side !== side)
          error(
            'split',
            `has “${id}” for ${side} and for ${before.side} in fold ${number}`,
            'Remove it from one of them.',
          );
        else if (before.side !== side)
          error(
            'patientOnBothSides',
            `has “${id}” for ${side} and “${before.id}” of the same patient (${one.patient}) for ${before.side} in fold ${number}`,
            'Put all images of a patient on one side.',
          );
      }
    findings.push(...missingClasses(dataset, { train, number, place, present }));
  }
  return findings;
}

/** Classes that occur, but in no training case of a fold. An image classifier cannot learn them; of a segmentation, the other classes can be learned. */
function missingClasses(
  dataset: LabelledDataset,
  fold: { train: readonly string[]; number: number; place: string; present: PresentClasses },
): Finding[] {
  const { train, number: foldNumber, place, present } = fold;
  const inTraining = new Set(train);
  const known =
    dataset.problem === 'classification'
      ? dataset.cases.map(({ id, classes }) => ({ id, classes: classes ?? [] }))
      : [...present].map(([id, classes]) => ({ id, classes }));
  const trained = new Set(known.flatMap(({ id, classes }) => (inTraining.has(id) ? classes : [])));
  const occurs = new Set(known.flatMap(({ classes }) => classes));
  const segmentation = dataset.problem === 'segmentation';
  return dataset.labels.flatMap(({ name }, number): Finding[] => {
    // A label that no case has at all is a finding of its own.
    if (trained.has(number) || (segmentation && !occurs.has(number))) return [];
    return [
      {
        severity: segmentation ? 'warning' : 'error',
        kind: 'missingClass',
        place,
        what: `has no training case of the class “${name}” in fold ${foldNumber}`,
        remedy: 'Add cases of it, use another seed or fewer folds, or remove the class.',
      },
    ];
  });
}
