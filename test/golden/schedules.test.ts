import { expect, test } from 'vitest';
import { cosineSchedule } from '../../daemon/train/optimizers/schedules.ts';
import { goldenFiles, readGolden } from './values.ts';

interface Case {
  base: number;
  final: number;
  epochs: number;
  stepsPerEpoch: number;
  warmupEpochs: number;
  values: number[];
}

const cases = goldenFiles(/^schedules\.json$/).flatMap((file) => readGolden<Case[]>(file));

test.skipIf(cases.length === 0).each(cases)('cosine from $base to $final', (c) => {
  const schedule = cosineSchedule({
    base: c.base,
    final: c.final,
    steps: c.epochs * c.stepsPerEpoch,
    warmupSteps: c.warmupEpochs * c.stepsPerEpoch,
  });
  c.values.forEach((value, step) => {
    expect(Math.abs(schedule(step) - value)).toBeLessThanOrEqual(1e-6 * value);
  });
});
