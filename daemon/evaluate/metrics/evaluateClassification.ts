import { UnimissError } from '../../../protocol/errors.ts';
import type {
  ClassificationEvaluation,
  ClassificationMetric,
  ClassReport,
  Measured,
} from '../../../protocol/evaluation/classification.ts';
import { PatientResamples } from './bootstrap.ts';
import { brierOf, calibrationBins, expectedCalibrationError, type Forecast } from './calibration.ts';
import { confusionMatrix, meanDefined, ratesOf } from './confusion.ts';
import { type EvaluationOptions, patientNotes } from './evaluateSegmentation.ts';
import { Ranking } from './ranking.ts';
import { type AtThreshold, atThreshold } from './threshold.ts';

/** A case with the probabilities that a network gave it. */
export interface ClassificationCaseInput {
  readonly id: string;
  readonly patient: string;
  /** One a class, 0 … 1; their sum is 1 where classes exclude each other. */
  readonly probabilities: ArrayLike<number>;
  /** Indices of its classes: exactly one where they exclude each other. */
  readonly reference: readonly number[];
}

export interface ClassificationOptions extends EvaluationOptions {
  readonly classes: readonly string[];
  /** Each case has exactly one class. */
  readonly exclusive: boolean;
  /** Cases on which thresholds are chosen (Youden's index). Without them the threshold is 0.5. */
  readonly validation?: readonly ClassificationCaseInput[];
}

type Weights = ArrayLike<number>;
const bins = 15;

/**
 * Evaluates probabilities against classes.
 * @throws UnimissError 'data' for a probability outside 0 … 1, another number of classes, a case that comes twice, or none at all
 */
export function evaluateClassification(
  inputs: readonly ClassificationCaseInput[],
  options: ClassificationOptions,
): ClassificationEvaluation {
  const { classes, exclusive, validation = [], seed = 0, resamples } = options;
  check(inputs, options);
  check(validation, options);
  if (inputs.length === 0)
    throw new UnimissError('data', 'there is no case to evaluate', {
      remedy: 'Choose a split that has cases with labels.',
    });
  const draws = new PatientResamples(
    inputs.map((one) => one.patient),
    { seed, ...(resamples !== undefined && { resamples }) },
  );
  const measured = (statistic: (weights?: Weights) => number | null): Measured => ({
    value: statistic(),
    interval: draws.interval(statistic),
  });

  const notes = patientNotes(draws.patients.length, inputs.length);
  const probabilities = inputs.map((one) => Array.from(one.probabilities));
  const thresholds = classes.map((name, c) => {
    const chosen = validation.length > 0 ? rankingOf(validation, c).youdenThreshold() : null;
    if (validation.length > 0 && chosen === null)
      notes.push(`The validation cases do not show both sides of ${name}: its threshold is 0.5.`);
    return chosen ?? 0.5;
  });
  if (validation.length === 0) notes.push('No validation cases were given: thresholds are 0.5.');
  const predicted = probabilities.map((own) =>
    exclusive ? [largest(own)] : [...own.keys()].filter((c) => own[c]! >= thresholds[c]!),
  );
  const reports = classes.map((name, c) =>
    reportOf({ name, index: c, inputs, predicted, threshold: thresholds[c]!, measured }),
  );
  for (const { class: name, positives, negatives } of reports)
    if (positives === 0 || negatives === 0)
      notes.push(`${positives === 0 ? 'No' : 'Every'} case is ${name}, so it has no AUC.`);

  const metrics: Partial<Record<ClassificationMetric, Measured>> = {};
  const rankings = classes.map((_, c) => rankingOf(inputs, c));
  // Of two exclusive classes one AUC says all: that of the second.
  const ranked = exclusive && classes.length === 2 ? rankings.slice(1) : rankings;
  metrics.auc = measured((weights) => meanDefined(ranked.map((r) => r.auc(weights))));
  metrics.averagePrecision = measured((weights) => meanDefined(ranked.map((r) => r.averagePrecision(weights))));
  const right = predicted.map((own, i) => (sameClasses(own, inputs[i]!.reference) ? 1 : 0));
  metrics.accuracy = measured((weights) => weightedMean(right, weights));
  const brier = probabilities.map((own, i) => brierOf(own, inputs[i]!.reference));
  metrics.brier = measured((weights) => weightedMean(brier, weights));
  const confusion = (weights?: Weights) =>
    confusionMatrix(
      inputs.map((one) => one.reference[0]!),
      predicted.map((own) => own[0]!),
      classes.length,
      weights,
    );
  if (exclusive) {
    metrics.balancedAccuracy = measured((weights) => meanDefined(ratesOf(confusion(weights)).map((r) => r.recall)));
    metrics.f1 = measured((weights) => meanDefined(ratesOf(confusion(weights)).map((r) => r.f1)));
  } else {
    const tables = classes.map((_, c) => binaryOf(inputs, predicted, c));
    metrics.f1 = measured((weights) => meanDefined(tables.map((table) => f1Of(table, weights))));
    metrics.balancedAccuracy = measured((weights) =>
      meanDefined(tables.map(({ named, actual }) => balanced(atThreshold(named, actual, 1, weights)))),
    );
  }
  const forecasts = forecastsOf(inputs, probabilities, predicted, exclusive);
  metrics.calibrationError = measured((weights) =>
    expectedCalibrationError(forecasts, bins, exclusive || !weights ? weights : repeated(weights, classes.length)),
  );

  return {
    format: 1,
    problem: 'classification',
    name: options.name,
    time: (options.time ?? new Date()).toISOString(),
    split: options.split,
    seed,
    versions: { ...options.versions },
    definitions: definitionsOf(exclusive, classes.length, validation.length > 0),
    patients: draws.patients.length,
    exclusions: [...(options.exclusions ?? [])],
    leakage: options.leakage ?? { state: 'unknown', reason: 'No pre-training run was named.' },
    notes,
    exclusive,
    thresholds: validation.length > 0 ? 'validation' : 'default',
    cases: inputs.map((one, i) => ({
      case: one.id,
      patient: one.patient,
      probabilities: probabilities[i]!,
      reference: [...one.reference],
      predicted: predicted[i]!,
    })),
    classes: reports,
    metrics,
    confusion: exclusive ? confusion() : null,
    calibration: calibrationBins(forecasts, bins),
  };
}

function check(cases: readonly ClassificationCaseInput[], { classes, exclusive }: ClassificationOptions): void {
  const seen = new Set<string>();
  for (const { id, probabilities, reference } of cases) {
    const refuse = (what: string, remedy: string) => new UnimissError('data', what, { place: id, remedy });
    if (seen.has(id)) throw refuse('the case is listed twice', 'Give each case once.');
    seen.add(id);
    if (probabilities.length !== classes.length)
      throw refuse(
        `has ${probabilities.length} probabilities for ${classes.length} classes`,
        'Evaluate with the classes of the network.',
      );
    for (let c = 0; c < probabilities.length; c++)
      if (!(probabilities[c]! >= 0 && probabilities[c]! <= 1 + 1e-6))
        throw refuse(
          `has the probability ${probabilities[c]} for ${classes[c]}`,
          'Give probabilities from 0 to 1, not logits.',
        );
    if (exclusive && reference.length !== 1)
      throw refuse(
        `has ${reference.length} classes where exactly one is expected`,
        'Correct the labels, or evaluate classes that may overlap.',
      );
    for (const c of reference)
      if (!Number.isInteger(c) || c < 0 || c >= classes.length)
        throw refuse(
          `has the class number ${c}; there are ${classes.length} classes`,
          'Evaluate with the classes of the data set.',
        );
  }
}

interface ClassToReport {
  readonly name: string;
  readonly index: number;
  readonly inputs: readonly ClassificationCaseInput[];
  readonly predicted: readonly (readonly number[])[];
  readonly threshold: number;
  readonly measured: (statistic: (weights?: Weights) => number | null) => Measured;
}

function reportOf({ name, index, inputs, predicted, threshold, measured }: ClassToReport): ClassReport {
  const ranking = rankingOf(inputs, index);
  const scores = inputs.map((one) => one.probabilities[index]!);
  const table = binaryOf(inputs, predicted, index);
  const positives = table.actual.reduce((a, b) => a + b, 0);
  return {
    class: name,
    positives,
    negatives: inputs.length - positives,
    auc: measured((weights) => ranking.auc(weights)),
    averagePrecision: measured((weights) => ranking.averagePrecision(weights)),
    f1: measured((weights) => f1Of(table, weights)),
    recall: measured((weights) => atThreshold(table.named, table.actual, 1, weights).sensitivity),
    sensitivity: measured((weights) => atThreshold(scores, table.actual, threshold, weights).sensitivity),
    specificity: measured((weights) => atThreshold(scores, table.actual, threshold, weights).specificity),
    threshold,
    roc: ranking.rocCurve(),
    precisionRecall: ranking.precisionRecallCurve(),
  };
}

function rankingOf(cases: readonly ClassificationCaseInput[], index: number): Ranking {
  return new Ranking(
    cases.map((one) => one.probabilities[index]!),
    cases.map((one) => one.reference.includes(index)),
  );
}

/** Of each case, whether it was predicted as the class (1 or 0), and whether it is. */
interface Binary {
  readonly named: readonly number[];
  readonly actual: readonly number[];
}

function binaryOf(
  inputs: readonly ClassificationCaseInput[],
  predicted: readonly (readonly number[])[],
  index: number,
): Binary {
  return {
    named: predicted.map((own) => (own.includes(index) ? 1 : 0)),
    actual: inputs.map((one) => (one.reference.includes(index) ? 1 : 0)),
  };
}

function f1Of({ named, actual }: Binary, weights?: Weights): number | null {
  let [right, wrong] = [0, 0];
  for (let i = 0; i < named.length; i++) {
    const weight = weights ? weights[i]! : 1;
    if (named[i] && actual[i]) right += weight;
    else if (named[i] || actual[i]) wrong += weight;
  }
  return right + wrong === 0 ? null : (2 * right) / (2 * right + wrong);
}

function balanced({ sensitivity, specificity }: AtThreshold): number | null {
  return sensitivity === null || specificity === null ? null : (sensitivity + specificity) / 2;
}

/** Exclusive: the probability of the predicted class. Otherwise that of every class of every case. */
function forecastsOf(
  inputs: readonly ClassificationCaseInput[],
  probabilities: readonly (readonly number[])[],
  predicted: readonly (readonly number[])[],
  exclusive: boolean,
): Forecast[] {
  if (exclusive)
    return inputs.map((one, i) => {
      const c = predicted[i]![0]!;
      return { confidence: probabilities[i]![c]!, right: one.reference[0] === c };
    });
  return inputs.flatMap((one, i) =>
    probabilities[i]!.map((confidence, c) => ({ confidence, right: one.reference.includes(c) })),
  );
}

function repeated(weights: Weights, times: number): Float64Array {
  return Float64Array.from({ length: weights.length * times }, (_, i) => weights[Math.floor(i / times)]!);
}

function weightedMean(values: readonly number[], weights?: Weights): number | null {
  let [sum, total] = [0, 0];
  for (const [i, value] of values.entries()) {
    const weight = weights ? weights[i]! : 1;
    sum += weight * value;
    total += weight;
  }
  return total === 0 ? null : sum / total;
}

/** Index of the largest; of equal ones the first. */
function largest(values: readonly number[]): number {
  return values.reduce((best, value, i) => (value > values[best]! ? i : best), 0);
}

function sameClasses(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((c) => b.includes(c));
}

function definitionsOf(exclusive: boolean, classes: number, validated: boolean): Record<string, string> {
  const over = exclusive && classes === 2 ? 'of the second class' : 'mean over classes, each against the others';
  return {
    auc: `AUC: area under the ROC curve, ${over}; a tie counts one half.`,
    averagePrecision: `Average precision: sum of precision times gain in recall, without interpolation, ${over}.`,
    accuracy: exclusive
      ? 'Accuracy: share of cases whose most probable class is right.'
      : 'Accuracy: share of cases all of whose classes, at their thresholds, are right.',
    balancedAccuracy: exclusive
      ? 'Balanced accuracy: mean over classes of the share of their cases that is right.'
      : 'Balanced accuracy: mean over classes of (sensitivity + specificity) / 2.',
    f1: 'F1: mean over classes of 2·TP / (2·TP + FP + FN).',
    sensitivity: `Sensitivity and specificity: at a threshold of the probability, ${validated ? 'chosen on the validation cases by Youden’s index' : '0.5'}.`,
    calibrationError: `Expected calibration error: ${bins} bins of equal width (low, high], mean of |accuracy − confidence| weighted by cases, ${exclusive ? 'of the predicted class' : 'of all classes'}.`,
    brier: 'Brier score: mean over cases of the sum over classes of (probability − truth)².',
    interval: '95 % interval: percentile bootstrap over patients (all cases of a patient are drawn together).',
  };
}
