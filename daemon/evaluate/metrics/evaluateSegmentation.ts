import { UnimissError } from '../../../protocol/errors.ts';
import type { Exclusion, Leakage } from '../../../protocol/evaluation/common.ts';
import {
  type CaseStatus,
  type ClassInCase,
  type ClassSummary,
  type ConventionName,
  type SegmentationEvaluation,
  type SegmentationMetric,
  type SegmentedCase,
  type Statistic,
  segmentationMetrics,
} from '../../../protocol/evaluation/segmentation.ts';
import { PatientResamples } from './bootstrap.ts';
import type { MeasureOptions } from './classInCase.ts';
import { meanDefined } from './confusion.ts';
import { conventions, sharedDefinitions } from './conventions.ts';
import type { EvaluatedClass, Grid, LabelArray } from './labelGrid.ts';
import { statisticOf } from './statistics.ts';
import { MetricThreads } from './threads.ts';

/** Labels of a case on one grid, in C order. */
export type CaseLabels =
  | {
      readonly kind: 'map';
      readonly reference: LabelArray;
      readonly prediction: LabelArray;
      readonly ignore?: number | null;
    }
  /** [classes, …grid], 1 where a class is present, for classes that may overlap. */
  | {
      readonly kind: 'masks';
      readonly reference: Uint8Array;
      readonly prediction: Uint8Array;
      readonly ignore?: number | null;
    };

export interface SegmentationCaseInput extends Grid {
  readonly id: string;
  readonly patient: string;
  readonly labels: CaseLabels;
}

/** What an evaluation says about itself. */
export interface EvaluationOptions {
  readonly name: string;
  /** "test", "validation", … */
  readonly split: string;
  readonly seed?: number;
  readonly resamples?: number;
  readonly versions?: Readonly<Record<string, string>>;
  readonly exclusions?: readonly Exclusion[];
  /** Default: unknown. */
  readonly leakage?: Leakage;
  readonly time?: Date;
}

export interface SegmentationOptions extends EvaluationOptions {
  /** Structures without the background. Masks: one for each, in their order. */
  readonly classes: readonly EvaluatedClass[];
  readonly convention?: ConventionName;
  /** mm, of the normalised surface Dice. */
  readonly toleranceMm?: number;
  /** Whether to count lesions. */
  readonly lesions?: boolean;
  /** Worker threads; 0: none. Default: one a core. */
  readonly threads?: number;
  readonly onCase?: (done: SegmentedCase) => void;
  readonly signal?: AbortSignal;
}

export const defaultTolerance = 2;

/**
 * Evaluates label maps against references: one case at a time, so that `cases` may read each when it is asked for.
 * @throws UnimissError 'data' where prediction, reference and grid differ in size, a case comes twice, or there is none;
 * 'interrupted' where `signal` aborts
 */
export async function evaluateSegmentation(
  cases: Iterable<SegmentationCaseInput> | AsyncIterable<SegmentationCaseInput>,
  options: SegmentationOptions,
): Promise<SegmentationEvaluation> {
  const { convention: name = 'unimiss', toleranceMm = defaultTolerance, lesions = true } = options;
  const measure = { convention: conventions[name], toleranceMm, lesions };
  const threads = new MetricThreads(options.threads);
  const done: SegmentedCase[] = [];
  try {
    for await (const one of cases) {
      if (options.signal?.aborted) throw new UnimissError('interrupted', 'the evaluation was stopped');
      if (done.some((other) => other.case === one.id))
        throw new UnimissError('data', 'the case is listed twice', { place: one.id, remedy: 'Give each case once.' });
      const measured = await evaluateCase(one, options.classes, measure, threads);
      done.push(measured);
      options.onCase?.(measured);
    }
  } finally {
    await threads.close();
  }
  return summarizeSegmentation(done, options);
}

/** The numbers of one case. */
export async function evaluateCase(
  one: SegmentationCaseInput,
  classes: readonly EvaluatedClass[],
  options: MeasureOptions,
  threads: MetricThreads,
): Promise<SegmentedCase> {
  const { id, patient, shape, spacing, labels } = one;
  const measured: ClassInCase[] = [];
  try {
    if (labels.kind === 'map') measured.push(...(await threads.measure(labels, classes, one, options)));
    else {
      const length = shape.reduce((a, b) => a * b, 1);
      for (const [i, own] of classes.entries()) {
        const [reference, prediction] = [labels.reference, labels.prediction].map((maps) =>
          maps.subarray(i * length, (i + 1) * length),
        );
        const pair = { reference: reference!, prediction: prediction!, ignore: labels.ignore };
        measured.push(...(await threads.measure(pair, [{ name: own.name, values: [1] }], one, options)));
      }
    }
  } catch (error) {
    if (!(error instanceof UnimissError) || error.details.place) throw error;
    throw new UnimissError(error.code, error.what, { ...error.details, place: id });
  }
  return {
    case: id,
    patient,
    shape: [...shape],
    spacing: [...spacing],
    dice: meanDefined(measured.map((c) => c.dice)),
    classes: measured,
  };
}

/** The evaluation of cases that were measured before, for example in an earlier process. */
export function summarizeSegmentation(
  cases: readonly SegmentedCase[],
  options: SegmentationOptions,
): SegmentationEvaluation {
  const { convention: name = 'unimiss', toleranceMm = defaultTolerance, seed = 0, resamples } = options;
  if (cases.length === 0)
    throw new UnimissError('data', 'there is no case to evaluate', {
      remedy: 'Choose a split that has cases with labels.',
    });
  const convention = conventions[name];
  const draws = new PatientResamples(
    cases.map((one) => one.patient),
    { seed, ...(resamples !== undefined && { resamples }) },
  );
  const classes = options.classes.map((one, i) =>
    summarizeClass(
      one.name,
      cases.map((c) => c.classes[i]!),
      draws,
    ),
  );
  const everyStatus = classes.map((c) => c.statuses);
  return {
    format: 1,
    problem: 'segmentation',
    name: options.name,
    time: (options.time ?? new Date()).toISOString(),
    split: options.split,
    seed,
    versions: { ...options.versions },
    definitions: { ...convention.definitions, ...sharedDefinitions },
    patients: draws.patients.length,
    exclusions: [...(options.exclusions ?? [])],
    leakage: options.leakage ?? { state: 'unknown', reason: 'No pre-training run was named.' },
    notes: [...patientNotes(draws.patients.length, cases.length), ...classNotes(classes)],
    convention: { name, version: convention.version, matches: convention.matches },
    toleranceMm,
    cases: [...cases],
    classes,
    summary: {
      statuses: statusCounts((status) => everyStatus.reduce((sum, own) => sum + own[status], 0)),
      metrics: overClasses(cases, classes, draws),
    },
  };
}

function statusCounts(count: (status: CaseStatus) => number): Record<CaseStatus, number> {
  return {
    ok: count('ok'),
    'both-empty': count('both-empty'),
    missed: count('missed'),
    'false-positive': count('false-positive'),
  };
}

function summarizeClass(name: string, cases: readonly ClassInCase[], draws: PatientResamples): ClassSummary {
  const metrics: Partial<Record<SegmentationMetric, Statistic>> = {};
  for (const metric of segmentationMetrics) {
    const values = cases.map((one) => one[metric]);
    const ok = cases.flatMap((one) => (one.status === 'ok' ? (one[metric] ?? []) : []));
    const found = statisticOf(
      values.filter((v) => v !== null),
      ok,
      draws.meanInterval(values),
    );
    if (found) metrics[metric] = found;
  }
  return {
    class: name,
    statuses: statusCounts((status) => cases.filter((one) => one.status === status).length),
    metrics,
  };
}

/** Means over classes of the means over cases. */
function overClasses(cases: readonly SegmentedCase[], classes: readonly ClassSummary[], draws: PatientResamples) {
  const metrics: Partial<Record<SegmentationMetric, Statistic>> = {};
  for (const metric of segmentationMetrics) {
    const own = classes.flatMap((c) => c.metrics[metric] ?? []);
    const lists = classes.map((_, i) => cases.map((one) => one.classes[i]![metric]));
    const means = own.map((s) => s.mean);
    const found = statisticOf(
      means,
      own.flatMap((s) => s.meanOverOk ?? []),
      draws.meanOfMeansInterval(lists),
    );
    if (found) metrics[metric] = found;
  }
  return metrics;
}

/** What the number of patients means for the intervals. */
export function patientNotes(patients: number, cases: number): string[] {
  const notes: string[] = [];
  if (patients < 2)
    notes.push('Only 1 patient was evaluated: nothing can be said about others, and there are no intervals.');
  else if (patients < 10)
    notes.push(
      `Only ${patients} patients were evaluated: intervals from so few are too narrow, and other patients may differ much.`,
    );
  if (cases > patients)
    notes.push(
      `${cases} cases are of ${patients} ${patients === 1 ? 'patient' : 'patients'}; intervals are over patients.`,
    );
  return notes;
}

function classNotes(classes: readonly ClassSummary[]): string[] {
  const names = (status: (own: Record<CaseStatus, number>) => boolean) =>
    classes.filter((c) => status(c.statuses)).map((c) => c.class);
  const absent = names((own) => own.ok + own.missed === 0);
  const never = names((own) => own.ok === 0 && own.missed > 0);
  const list = (all: string[]) =>
    all.length > 6 ? `${all.slice(0, 5).join(', ')} and ${all.length - 5} more` : all.join(', ');
  return [
    ...(absent.length > 0 ? [`No reference has these classes, so they say nothing: ${list(absent)}.`] : []),
    ...(never.length > 0 ? [`These classes were never found where the reference has them: ${list(never)}.`] : []),
  ];
}
