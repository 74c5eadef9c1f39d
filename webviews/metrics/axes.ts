import type { Modality } from '../../protocol/modality.ts';
import { formatCount, formatDuration, formatDurationTick, formatNumber } from './format.ts';
import type { Run } from './store.ts';
import { lastAtOrBefore } from './table.ts';

/** What the horizontal axis shows. */
export const xAxes = ['step', 'time', 'epoch'] as const;
export type XAxis = (typeof xAxes)[number];

export const axisLabels: Record<XAxis, string> = { step: 'step', time: 'training time', epoch: 'epoch' };

/** Positions of the rows of a table along an axis: steps, seconds of training, or epochs with fractions; ascending. */
export function positions(run: Run, table: 'steps' | 'epochs', axis: XAxis): Float64Array {
  if (table === 'steps') return stepPositions(run, axis);
  const step = run.epochs.values('step') ?? new Float64Array(run.epochs.length);
  if (axis === 'step') return step;
  if (axis === 'epoch') return (run.epochs.values('epoch') ?? step).map((e) => e + 1);
  const steps = run.steps.values('step');
  const time = trainingTime(run);
  return step.map((s) => (steps ? (time[lastAtOrBefore(steps, s)] ?? 0) : 0));
}

function stepPositions(run: Run, axis: XAxis): Float64Array {
  const step = run.steps.values('step') ?? new Float64Array(run.steps.length);
  if (axis === 'step') return step;
  if (axis === 'time') return trainingTime(run);
  return fractionalEpoch(step, run.steps.values('epoch'), run.steps.values('phase'));
}

/**
 * Seconds since the first step, without interruptions. A gap that is longer than a minute and than 20 times the usual gap (the
 * run was stopped, or the machine slept) counts as a usual one.
 */
function trainingTime(run: Run): Float64Array {
  const time = run.steps.values('time');
  const out = new Float64Array(run.steps.length);
  if (!time) return out;
  const gaps = time.subarray(1).map((t, i) => t - time[i]!);
  const usual = gaps.length > 0 ? [...gaps].sort((a, b) => a - b)[gaps.length >> 1]! : 0;
  const longest = Math.max(60_000, 20 * usual);
  for (let i = 1; i < out.length; i++) {
    const gap = gaps[i - 1]!;
    out[i] = out[i - 1]! + (gap > longest || !(gap >= 0) ? Math.max(0, usual) : gap) / 1000;
  }
  return out;
}

/** Epoch plus the share of its steps done. An unfinished epoch counts as long as the last one of its phase. */
function fractionalEpoch(
  step: Float64Array,
  epoch: Float64Array | undefined,
  phase: Float64Array | undefined,
): Float64Array {
  if (!epoch) return step;
  const out = new Float64Array(step.length);
  const lengths = new Map<number, number>();
  for (let from = 0; from < step.length; ) {
    let to = from + 1;
    while (to < step.length && epoch[to] === epoch[from]) to++;
    const kind = phase?.[from] ?? 0;
    const seen = step[to - 1]! - step[from]! + 1;
    const length = to < step.length ? step[to]! - step[from]! : Math.max(seen, lengths.get(kind) ?? 0);
    lengths.set(kind, length);
    for (let i = from; i < to; i++) out[i] = epoch[i]! + (step[i]! - step[from]!) / Math.max(1, length);
    from = to;
  }
  return out;
}

/** A span of steps of one phase. */
export interface PhaseSpan {
  phase: Modality;
  from: number;
  to: number;
}

/**
 * The 2D and 3D spans of a run, given the places of its rows. A span ends where the next one starts. Empty if the run has no
 * groups.
 */
export function phaseSpans(run: Run, x: Float64Array): PhaseSpan[] {
  const phase = run.steps.values('phase');
  const spans: PhaseSpan[] = [];
  if (!phase) return spans;
  for (let from = 0; from < x.length; ) {
    let to = from + 1;
    while (to < x.length && phase[to] === phase[from]) to++;
    if (!Number.isNaN(phase[from]))
      spans.push({ phase: phase[from] === 3 ? '3D' : '2D', from: x[from]!, to: x[to] ?? x[to - 1]! });
    from = to;
  }
  return spans;
}

/** The place of a step along an axis, given the places of the run's rows. */
export function positionOfStep(run: Run, step: number, rows: Float64Array): number {
  const steps = run.steps.values('step');
  return steps && rows.length > 0 ? rows[Math.max(0, lastAtOrBefore(steps, step))]! : step;
}

/** A position in words: "step 1,204", "12 min 03 s", "epoch 3.42". */
export function formatPosition(axis: XAxis, x: number): string {
  if (axis === 'step') return `step ${formatCount(x)}`;
  if (axis === 'time') return formatDuration(x);
  return `epoch ${formatNumber(Math.round(x * 100) / 100)}`;
}

/** Allowed distances between ticks. */
export function tickDistances(axis: XAxis): number[] {
  if (axis === 'time')
    return [
      1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400, 172_800, 432_000,
      864_000,
    ];
  const tidy = [1, 2, 5, 10, 20, 50].flatMap((n) => [n, n * 100, n * 1e4, n * 1e6]).sort((a, b) => a - b);
  return axis === 'epoch' ? [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, ...tidy] : tidy;
}

export function formatTick(axis: XAxis, value: number, distance: number): string {
  if (axis === 'time') return formatDurationTick(value, distance);
  if (axis === 'step')
    return value >= 10_000 && value % 1000 === 0 ? `${formatCount(value / 1000)}k` : formatCount(value);
  return String(Number(value.toFixed(2)));
}
