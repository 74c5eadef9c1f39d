import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cosineSchedule, linearSchedule } from './schedules.ts';

test('a cosine stays between its ends and falls after warm-up', () => {
  const cases = fc.record({
    base: fc.double({ min: 0.1, max: 1, noNaN: true }),
    steps: fc.integer({ min: 2, max: 200 }),
    warmup: fc.nat(50),
  });
  fc.assert(
    fc.property(cases, ({ base, steps, warmup }) => {
      const warmupSteps = Math.min(warmup, steps - 1);
      const schedule = cosineSchedule({ base, final: 0.01, steps, warmupSteps });
      const values = Array.from({ length: steps }, (_, step) => schedule(step));
      expect(Math.max(...values)).toBeLessThanOrEqual(base + 1e-12);
      const falling = values.slice(warmupSteps);
      expect(falling[0]).toBeCloseTo(base, 12);
      for (let i = 1; i < falling.length; i++) expect(falling[i]!).toBeLessThanOrEqual(falling[i - 1]!);
      if (warmupSteps > 1) expect(values[0]).toBe(0);
      expect(schedule(steps)).toBe(0.01);
    }),
  );
});

test('a linear warm-up ends where it says', () => {
  const schedule = linearSchedule({ start: 0.04, end: 0.07, steps: 4 });
  [0.04, 0.05, 0.06, 0.07, 0.07].forEach((value, step) => {
    expect(schedule(step)).toBeCloseTo(value, 12);
  });
});
