/** Points of a curve: horizontal, vertical. */
type Point = [number, number];

/** Positives and negatives (or their weights) whose score is at least `threshold`. */
interface Step {
  readonly threshold: number;
  readonly truePositives: number;
  readonly falsePositives: number;
}

/**
 * Cases by falling score, to be measured as often as resamples ask for. `weights` says how often each case counts (default: once).
 * Scores are finite and as many as `positive`.
 */
export class Ranking {
  private readonly order: readonly number[];

  constructor(
    private readonly scores: ArrayLike<number>,
    private readonly positive: ArrayLike<boolean | number>,
  ) {
    this.order = Array.from({ length: scores.length }, (_, i) => i).sort((a, b) => scores[b]! - scores[a]!);
  }

  /** One step for each different score, from the highest: equal scores are never separated. */
  steps(weights?: ArrayLike<number>): Step[] {
    const steps: Step[] = [];
    let [truePositives, falsePositives] = [0, 0];
    for (const [n, i] of this.order.entries()) {
      const weight = weights ? weights[i]! : 1;
      if (this.positive[i]) truePositives += weight;
      else falsePositives += weight;
      const next = this.order[n + 1];
      if (next !== undefined && this.scores[next] === this.scores[i]) continue;
      if (truePositives + falsePositives > 0) steps.push({ threshold: this.scores[i]!, truePositives, falsePositives });
    }
    return steps;
  }

  /** Area under the ROC curve (trapezoids: a tie counts one half). null without positives or without negatives. */
  auc(weights?: ArrayLike<number>): number | null {
    const steps = this.steps(weights);
    const { truePositives: p = 0, falsePositives: n = 0 } = steps.at(-1) ?? {};
    if (p === 0 || n === 0) return null;
    let [area, t, f] = [0, 0, 0];
    for (const { truePositives, falsePositives } of steps) {
      area += ((falsePositives - f) * (truePositives + t)) / 2;
      [t, f] = [truePositives, falsePositives];
    }
    return area / (p * n);
  }

  /** Average precision: sum over falling thresholds of (recall step) · precision, without interpolation. null without positives. */
  averagePrecision(weights?: ArrayLike<number>): number | null {
    const steps = this.steps(weights);
    const p = steps.at(-1)?.truePositives ?? 0;
    if (p === 0) return null;
    let [sum, t] = [0, 0];
    for (const { truePositives, falsePositives } of steps) {
      if (truePositives > t) sum += ((truePositives - t) / p) * (truePositives / (truePositives + falsePositives));
      t = truePositives;
    }
    return sum;
  }

  /** Points (false-positive rate, true-positive rate) from (0, 0) to (1, 1). Empty where one kind is missing. */
  rocCurve(most = 200): Point[] {
    const steps = this.steps();
    const { truePositives: p = 0, falsePositives: n = 0 } = steps.at(-1) ?? {};
    if (p === 0 || n === 0) return [];
    return thin([[0, 0], ...steps.map((s): Point => [s.falsePositives / n, s.truePositives / p])], most);
  }

  /** Points (recall, precision) by falling threshold. Empty without positives. */
  precisionRecallCurve(most = 200): Point[] {
    const steps = this.steps();
    const p = steps.at(-1)?.truePositives ?? 0;
    if (p === 0) return [];
    return thin(
      steps.map((s): Point => [s.truePositives / p, s.truePositives / (s.truePositives + s.falsePositives)]),
      most,
    );
  }

  /**
   * The threshold with the largest sum of sensitivity and specificity (Youden, "Index for rating diagnostic tests", 1950): midway
   * between the lowest score counted as positive and the next. Of equally good ones the highest. null without positives or
   * negatives.
   */
  youdenThreshold(): number | null {
    const steps = this.steps();
    const { truePositives: p = 0, falsePositives: n = 0 } = steps.at(-1) ?? {};
    if (p === 0 || n === 0) return null;
    let [best, at] = [Number.NEGATIVE_INFINITY, 0];
    for (const [i, { truePositives, falsePositives }] of steps.entries()) {
      // A whole number, so that equal sums compare equal.
      const index = truePositives * n - falsePositives * p;
      if (index > best) [best, at] = [index, i];
    }
    const [own, next] = [steps[at]!.threshold, steps[at + 1]?.threshold];
    return next === undefined ? own : (own + next) / 2;
  }
}

/** At most `most` points, evenly picked, first and last included. */
function thin(points: Point[], most: number): Point[] {
  if (points.length <= most) return points;
  return Array.from({ length: most }, (_, i) => points[Math.round((i * (points.length - 1)) / (most - 1))]!);
}
