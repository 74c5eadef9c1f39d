import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyGamma } from './gamma3D.ts';
import { statisticsOf } from './parts.ts';

/** As two slices of 10 voxels, or one volume of 20. */
const source = () => Float32Array.from({ length: 20 }, (_, i) => ((i * 7) % 11) / 10);
const bySlice = [
  0.080411, 0.673014, 0.261377, 1.056809, 0.557983, 0.182993, 0.922904, 0.450397, 0.119282, 0.79483, 0.3562, 0.087151,
  0.676109, 0.267004, 1.057544, 0.561785, 0.189101, 0.924462, 0.454861, 0.125783,
];
const byVolume = [
  0.083975, 0.674573, 0.264328, 1.057069, 0.559931, 0.186209, 0.923617, 0.452709, 0.122715, 0.795976, 0.353773,
  0.083975, 0.674573, 0.264328, 1.057069, 0.559931, 0.186209, 0.923617, 0.452709, 0.122715,
];
const volumes = fc.float32Array({ minLength: 1, maxLength: 40, min: -2, max: 2, noNaN: true });

describe('applyGamma', () => {
  it.each([
    ['slice by slice', [1.4, 1.4], bySlice],
    ['over the volume', [1.4], byVolume],
  ])('agrees with batchgenerators %s', (_, amounts, want) => {
    const values = source();
    applyGamma(values, amounts);
    want.forEach((v, i) => {
      expect(values[i]).toBeCloseTo(v, 5);
    });
  });

  it('keeps mean and deviation, order and finiteness, also of an even slice', () => {
    fc.assert(
      fc.property(volumes, fc.double({ min: 0.7, max: 1.5, noNaN: true }), (list, exponent) => {
        const before = statisticsOf(list);
        const values = list.slice();
        applyGamma(values, [exponent]);
        expect(values.every(Number.isFinite)).toBe(true);
        const after = statisticsOf(values);
        expect(after.mean).toBeCloseTo(before.mean, 4);
        // The result with the two epsilons equals the exact one, unless the values differ as little as these.
        if (before.deviation > 1e-3) expect(after.deviation).toBeCloseTo(before.deviation, 4);
        const order = [...list.keys()].sort((a, b) => list[a]! - list[b]!);
        for (let i = 1; i < order.length; i++)
          expect(values[order[i]!]! - values[order[i - 1]!]!).toBeGreaterThanOrEqual(-1e-6);
      }),
    );
  });
});
