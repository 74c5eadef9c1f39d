import { z } from 'zod';
import { UnimissError } from '../../../../protocol/errors.ts';
import { type LabelledPlane, labelledPlane } from '../../../../protocol/evaluation/plane.ts';
import { type SegmentationEvaluation, segmentedCase } from '../../../../protocol/evaluation/segmentation.ts';
import type { ViewableCase } from '../../../../protocol/evaluation/viewableCases.ts';
import type { StoredCase } from '../../../data/prepared/readCase.ts';
import { ignoredLabel } from '../../../data/prepared/types.ts';
import { conventions } from '../../../evaluate/metrics/conventions.ts';
import {
  evaluateCase,
  type CaseLabels as MeasuredLabels,
  summarizeSegmentation,
} from '../../../evaluate/metrics/evaluateSegmentation.ts';
import type { LabelArray } from '../../../evaluate/metrics/labelGrid.ts';
import { MetricThreads } from '../../../evaluate/metrics/threads.ts';
import { planePicture, worstAndBest } from '../../../evaluate/report/evaluation/planePicture.ts';
import { labelsOf, voxelsOf } from './caseLabels.ts';
import { type Case, type Evaluated, type EvaluatedOn, excludingBroken } from './evaluated.ts';
import { LargestComponentTrial } from './largestComponentTrial.ts';
import { verdicts } from './leakageCheck.ts';

/** Pictures of the worst and of the best cases each. */
const pictured = 3;

/** What was found for a case; a plane only where its picture was among the worst or best then. */
const segmentedSchema = z.object({
  measured: segmentedCase,
  leakage: z.enum(verdicts),
  plane: labelledPlane.optional(),
  /** Changes of the trial. */
  changes: z.array(z.number().nullable()).optional(),
});
type Segmented = z.infer<typeof segmentedSchema>;

/** Measures the labels that a network gives to the cases of a split, each in the grid of its image. */
export async function segmentedCases(on: EvaluatedOn): Promise<Evaluated> {
  const { leakage, network, opened, task, options, exclusions, onProgress } = on;
  const { plan } = network;
  const { cases } = opened;
  const exclusive = plan.labels === 'exclusive';
  // Class numbers are positions in the plan: 0 is the background of exclusive labels.
  const classes = plan.classes.map(({ name }, k) => ({ name, values: [exclusive ? k : 1] })).slice(exclusive ? 1 : 0);
  // Validation shows the labels as the network gives them, and of which classes only the largest component should stay.
  const trial = opened.split === 'validation' ? LargestComponentTrial.of(plan) : undefined;
  const raw = { ...task, raw: trial !== undefined };
  const { toleranceMm, convention } = task;
  const measure = { convention: conventions[convention], toleranceMm, lesions: true };
  const done: Segmented['measured'][] = [];
  const planes = new Map<string, LabelledPlane>();
  const threads = new MetricThreads();
  const journal = await on.measured(segmentedSchema);

  async function measured(one: Case): Promise<Segmented> {
    const { stored, reference, prediction } = await labelsOf(network, opened, one, raw);
    if (journal.writable && 'label' in one) await on.kept?.add(one, { stored, reference, prediction });
    const { id, patient } = one;
    const maps = { reference, prediction, ignore: ignoredLabel };
    const labels: MeasuredLabels = exclusive ? { kind: 'map', ...maps } : { kind: 'masks', ...maps };
    const own = await evaluateCase({ id, patient, ...gridOf(stored), labels }, classes, measure, threads);
    const { worst, best } = worstAndBest({ cases: [...done, own] }, pictured);
    const shown = worst.includes(id) || best.includes(id);
    return {
      ...{ measured: own, leakage: leakage.verdictOf(id, stored) },
      ...(trial && { changes: trial.changesOf({ size: stored.size, reference, prediction }) }),
      ...(shown && { plane: pictureOf(id, stored, reference, prediction) }),
    };
  }

  try {
    for (const [i, one] of cases.entries()) {
      onProgress(one.id, i, cases.length);
      const before = await journal.find(one);
      const found = before ?? (await excludingBroken(one, exclusions, () => measured(one)));
      if (!found) continue;
      if (!before) await journal.add(one, found);
      leakage.note(one.id, found.leakage);
      trial?.note(found.changes ?? []);
      done.push({ ...found.measured, case: one.id, patient: one.patient });
      if (found.plane) planes.set(one.id, { ...found.plane, title: one.id });
    }
    onProgress('Report', cases.length, cases.length);
    const evaluation = summarizeSegmentation(done, { ...options, classes, toleranceMm, convention });
    const { worst, best } = worstAndBest(evaluation, pictured);
    const shown: LabelledPlane[] = [];
    for (const id of [...worst, ...best]) shown.push(planes.get(id) ?? (await pictureAgain(id)));
    return {
      evaluation,
      planes: shown,
      viewable: await viewable(on, evaluation),
      ...(trial && { largestComponent: trial.classes }),
    };
  } finally {
    journal.close();
    await threads.close();
  }

  /** The picture of a case that was measured when others were worse and better. */
  async function pictureAgain(id: string): Promise<LabelledPlane> {
    const one = cases.find((other) => other.id === id);
    if (!one) throw new UnimissError('internal', 'a case that is not of the split', { place: id });
    const { stored, reference, prediction } = await labelsOf(network, opened, one, raw);
    return pictureOf(id, stored, reference, prediction);
  }
}

async function viewable(
  { kept, opened }: EvaluatedOn,
  { cases }: SegmentationEvaluation,
): Promise<readonly ViewableCase[]> {
  if (!kept) return [];
  const all = cases.map(async ({ case: id, dice }): Promise<ViewableCase[]> => {
    const one = opened.cases.find((other) => other.id === id);
    const [image] = one?.channels ?? [];
    return one && image !== undefined && 'label' in one
      ? [{ case: id, dice, image, labels: await kept.labelsOf(one) }]
      : [];
  });
  return (await Promise.all(all)).flat();
}

function pictureOf(title: string, stored: StoredCase, reference: LabelArray, prediction: LabelArray): LabelledPlane {
  const spacing = stored.spacing ?? [1, 1, 1];
  const voxels = voxelsOf(stored);
  return planePicture({
    ...{ title, shape: stored.size, spacing, image: stored.channels[0] ?? [] },
    ...{ reference: reference.subarray(0, voxels), prediction: prediction.subarray(0, voxels) },
    ignore: ignoredLabel,
  });
}

/** A picture has two axes, and distances in pixels. */
function gridOf({ size, spacing }: StoredCase) {
  const [, ...plane] = size;
  return spacing
    ? { shape: size, spacing }
    : size[0] === 1
      ? { shape: plane, spacing: [1, 1] }
      : { shape: size, spacing: [1, 1, 1] };
}
