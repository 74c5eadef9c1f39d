import fc from 'fast-check';
import { expect, it } from 'vitest';
import { eachPart, statisticsOf } from './parts.ts';

it('gives each amount its own part of the same memory', () => {
  const values = new Float32Array(6);
  eachPart(values, [1, 2, 3], (part, amount) => part.fill(amount));
  expect([...values]).toEqual([1, 1, 2, 2, 3, 3]);
  eachPart(values, [9], (part, amount) => part.fill(amount));
  expect([...values]).toEqual([9, 9, 9, 9, 9, 9]);
});

it('measures mean, population deviation and range', () => {
  const values = fc.float32Array({ minLength: 1, maxLength: 50, min: -1000, max: 1000, noNaN: true });
  fc.assert(
    fc.property(values, (list) => {
      const numbers = [...list];
      const mean = numbers.reduce((a, b) => a + b, 0) / numbers.length;
      const variance = numbers.reduce((a, b) => a + (b - mean) ** 2, 0) / numbers.length;
      const got = statisticsOf(list);
      expect(got.mean).toBeCloseTo(mean, 6);
      expect(got.deviation).toBeCloseTo(Math.sqrt(variance), 6);
      expect(got.min === Math.min(...numbers) && got.max === Math.max(...numbers)).toBe(true);
    }),
  );
});
