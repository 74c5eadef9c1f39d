import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pretrainSchema } from '../../../protocol/config/pretrain/schema.ts';
import {
  collapseLimits,
  collapseWarnings,
  effectiveRank,
  featureDeviation,
  klOfMeanToUniform,
  meanEntropy,
  teacherSoftmax,
} from './collapse.ts';

const f32 = (...values: number[]) => Float32Array.from(values);

describe("the teacher's output", () => {
  test('softmax of (output − center) / temperature, by hand', () => {
    // Rows: (1 − 1, 2 − 0) / 0.5 = (0, 4); (3 − 1, 2) / 0.5 = (4, 4).
    const p = teacherSoftmax(f32(1, 2, 3, 2), f32(1, 0), 0.5);
    expect(p[0]).toBeCloseTo(1 / (1 + Math.exp(4)), 12);
    expect(p[1]).toBeCloseTo(1 / (1 + Math.exp(-4)), 12);
    expect(p[2]).toBe(0.5);
    expect(p[3]).toBe(0.5);
  });

  test('large outputs do not overflow', () => {
    expect([...teacherSoftmax(f32(3e4, 0), f32(0, 0), 0.04)]).toEqual([1, 0]);
  });

  test('entropy and divergence of known distributions', () => {
    expect(meanEntropy([1, 0, 0, 0.5, 0.5, 0] as unknown as Float64Array, 3)).toBeCloseTo(Math.log(2) / 2, 12);
    // The mean of two different one-hot rows is (½, ½, 0, 0): KL = log 4 − log 2.
    expect(klOfMeanToUniform(f32(1, 0, 0, 0, 0, 1, 0, 0), 4)).toBeCloseTo(Math.log(2), 6);
    expect(klOfMeanToUniform(f32(0.25, 0.25, 0.25, 0.25), 4)).toBeCloseTo(0, 6);
    expect(klOfMeanToUniform(f32(1, 0, 0, 0), 4)).toBeCloseTo(Math.log(4), 6);
  });

  test('entropy + divergence never exceed log(outputs): the rest is what the output knows of the image', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.float({ min: -3, max: 3, noNaN: true }), { minLength: 5, maxLength: 5 }), {
          minLength: 1,
          maxLength: 6,
        }),
        (rows) => {
          const p = teacherSoftmax(Float32Array.from(rows.flat()), new Float32Array(5), 0.3);
          const known = Math.log(5) - klOfMeanToUniform(p, 5) - meanEntropy(p, 5);
          expect(known).toBeGreaterThan(-1e-9);
          expect(known).toBeLessThan(Math.log(rows.length) + 1e-9);
        },
      ),
    );
  });

  test('values that are not whole rows are refused', () => {
    expect(() => meanEntropy(f32(1, 0, 0), 2)).toThrow(/3 values are not rows of 2/);
  });
});

describe('featureDeviation', () => {
  test('by hand: (1, 0) and (0, 2) are normalised to unit axes, each dimension deviates by ½', () => {
    expect(featureDeviation(f32(1, 0, 0, 2), 2)).toBeCloseTo(0.5, 12);
  });

  test('0 where all features point the same way, whatever their lengths', () => {
    expect(featureDeviation(f32(1, 2, 2, 2, 4, 4, 5, 10, 10), 3)).toBeCloseTo(0, 7);
  });

  test('at most 1/√length', () => {
    const vectors = fc.array(fc.float({ min: -10, max: 10, noNaN: true }), { minLength: 12, maxLength: 12 });
    fc.assert(
      fc.property(vectors, (v) => {
        expect(featureDeviation(Float32Array.from(v), 4)).toBeLessThanOrEqual(0.5 + 1e-9);
      }),
    );
  });
});

describe('effectiveRank', () => {
  test('2 for a cross of equal arms, 1 for a line, 0 for a point', () => {
    expect(effectiveRank(f32(1, 0, -1, 0, 0, 1, 0, -1), 2)).toBeCloseTo(2, 10);
    expect(effectiveRank(f32(0, 0, 0, 1, 2, 3, 2, 4, 6), 3)).toBeCloseTo(1, 6);
    expect(effectiveRank(f32(0.1, 0.2, 0.1, 0.2, 0.1, 0.2), 2)).toBe(0);
  });

  test('by hand for singular values 3√2 and √2: shares ¾ and ¼', () => {
    const expected = Math.exp(-(0.75 * Math.log(0.75) + 0.25 * Math.log(0.25)));
    expect(effectiveRank(f32(3, 0, -3, 0, 0, 1, 0, -1), 2)).toBeCloseTo(expected, 10);
  });

  test('does not change when features are shifted or scaled, and stays within its bounds', () => {
    const features = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 15, maxLength: 15 });
    fc.assert(
      fc.property(features, fc.integer({ min: -9, max: 9 }), fc.constantFrom(2, 4, 0.5), (v, shift, scale) => {
        const rank = effectiveRank(Float32Array.from(v), 3);
        expect(
          effectiveRank(
            Float32Array.from(v, (x) => x * scale + shift),
            3,
          ),
        ).toBeCloseTo(rank, 6);
        expect(rank).toBeLessThanOrEqual(3 + 1e-9);
        if (rank > 0) expect(rank).toBeGreaterThanOrEqual(1 - 1e-9);
      }),
    );
  });

  test('works with fewer images than dimensions', () => {
    expect(effectiveRank(f32(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0), 4)).toBeCloseTo(2, 6);
  });
});

describe('collapseWarnings', () => {
  const sizes = { outputs: 1024, featureLength: 48, batch: 8 };
  const most = Math.log(1024);
  const well = { teacherEntropy: 3, klToUniform: 2, featureStd: 0.1, effectiveRank: 12 };

  /** Whether a configuration has this field. */
  function known(field: string): boolean {
    const value = field
      .split('.')
      .reduce<unknown>(
        (at, key) => (at as Record<string, unknown> | undefined)?.[key],
        pretrainSchema.parse({ data: {} }),
      );
    return value !== undefined;
  }

  test('a healthy epoch has none', () => {
    expect(collapseWarnings(well, sizes)).toEqual([]);
  });

  test.each([
    ['uniform output', { teacherEntropy: most - 0.001, klToUniform: 0.0005 }, /uniform over its 1,024 outputs/],
    ['the same output for all', { teacherEntropy: 0.01, klToUniform: most - 0.02 }, /same output for every image/],
    ['the same broad output for all', { teacherEntropy: 4, klToUniform: most - 4.001 }, /same output for every image/],
    ['features that point one way', { featureStd: 0.001, effectiveRank: 1 }, /look the same for all images/],
    ['features on a line', { effectiveRank: 1.4 }, /one direction only \(effective rank 1\.4 of 48\)/],
  ])('%s', (_, part, expected) => {
    const warnings = collapseWarnings({ ...well, ...part }, sizes);
    expect(warnings).toHaveLength(1);
    const { what, advice = '' } = warnings[0]!;
    expect(what).toMatch(expected);
    expect(what).toMatch(/\.$/);
    expect(advice).toMatch(/^Try .+\.$/);
    for (const [field] of advice.matchAll(/(train|views|data|model)\.[\w.]*\w/g)) expect(known(field)).toBe(true);
    expect(advice).toMatch(/train\.lr/);
  });

  test.each(['teacherEntropy', 'klToUniform', 'featureStd', 'effectiveRank'] as const)(
    'a value of %s beyond its limit is a warning, one within is none',
    (key) => {
      const [limit] = collapseLimits(sizes)[key];
      const beyond = limit!.value * (limit!.wrong === 'above' ? 1 + 1e-6 : 1 - 1e-6);
      const within = limit!.value * (limit!.wrong === 'above' ? 0.9 : 1.1);
      // A mean output that is uniform, and entropies that leave the image to be told, do not interfere.
      const calm = key === 'klToUniform' ? { teacherEntropy: 0.05 } : { klToUniform: 0 };
      expect(collapseWarnings({ ...well, ...calm, [key]: beyond }, sizes)).toHaveLength(1);
      expect(collapseWarnings({ ...well, ...calm, [key]: within }, sizes)).toEqual([]);
    },
  );

  test('with one image a step, the divergence has no limit', () => {
    expect(collapseLimits({ ...sizes, batch: 1 }).klToUniform).toEqual([]);
  });

  test('a sharp teacher that tells images apart is fine', () => {
    // Two images, two outputs, both certain: KL = log 1024 − log 2.
    expect(collapseWarnings({ ...well, teacherEntropy: 0.01, klToUniform: most - Math.log(2) }, sizes)).toEqual([]);
  });

  test('with one image a step, views that agree are no sign', () => {
    expect(
      collapseWarnings({ ...well, teacherEntropy: 0.01, klToUniform: most - 0.02 }, { ...sizes, batch: 1 }),
    ).toEqual([]);
  });
});
