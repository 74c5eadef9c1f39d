import type { Run } from './store.ts';

/** The present value of a number is the mean over this many rows. */
const recent = 50;

/** Mean of the last recorded values of a phase (2 or 3), or of a run without phases; undefined without any. */
export function recentMean(run: Run, key: string, phase: number | undefined): number | undefined {
  const values = run.steps.values(key);
  const phases = phase === undefined ? undefined : run.steps.values('phase');
  if (!values || (phase !== undefined && !phases)) return undefined;
  let sum = 0;
  let count = 0;
  for (let i = values.length - 1; i >= 0 && count < recent; i--) {
    const value = values[i];
    if (value === undefined || Number.isNaN(value) || (phases && phases[i] !== phase)) continue;
    sum += value;
    count++;
  }
  return count > 0 ? sum / count : undefined;
}
