import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { classifyByNeighbors, wilsonInterval } from './knn.ts';

/** Unit vectors at angles (degrees). */
const at = (...degrees: number[]) =>
  Float32Array.from(degrees.flatMap((d) => [Math.cos((d * Math.PI) / 180), Math.sin((d * Math.PI) / 180)]));

describe('classifyByNeighbors', () => {
  test('two clusters, leave-one-out: all right, with what chance gives', () => {
    const result = classifyByNeighbors({ features: at(0, 5, 10, 90, 95), featureLength: 2, labels: [7, 7, 7, 9, 9] });
    expect(result).toMatchObject({
      accuracy: 1,
      chance: 0.6,
      predictions: [7, 7, 7, 9, 9],
      k: 4,
      interval: [expect.closeTo(0.565518, 6), 1],
    });
  });

  test('an image never votes for itself', () => {
    const result = classifyByNeighbors({ features: at(0, 0.1, 90), featureLength: 2, labels: [1, 2, 2] }, { k: 1 });
    expect(result.predictions).toEqual([2, 1, 2]);
    expect(result.accuracy).toBeCloseTo(1 / 3, 12);
  });

  test('weights by hand: one near neighbour against two farther ones', () => {
    const train = { features: at(0, 60, 60), featureLength: 2, labels: [1, 2, 2] };
    const test = { features: at(10), featureLength: 2, labels: [1] };
    // cos 10° = 0.985, cos 50° = 0.643: e^(0.342 / T) against 2, so the near one wins below T = 0.494.
    expect(classifyByNeighbors(test, { train, temperature: 0.07 }).predictions).toEqual([1]);
    expect(classifyByNeighbors(test, { train, temperature: 0.48 }).predictions).toEqual([1]);
    expect(classifyByNeighbors(test, { train, temperature: 0.51 }).predictions).toEqual([2]);
    expect(classifyByNeighbors(test, { train, temperature: 0.51, k: 1 }).predictions).toEqual([1]);
  });

  test('a tiny temperature does not overflow', () => {
    const result = classifyByNeighbors(
      { features: at(0, 1, 90, 91), featureLength: 2, labels: [0, 0, 1, 1] },
      { temperature: 1e-4 },
    );
    expect(result.accuracy).toBe(1);
  });

  test('k is 20 at most by default', () => {
    const labels = Array.from({ length: 50 }, (_, i) => i % 2);
    expect(classifyByNeighbors({ features: at(...labels.map((l, i) => l * 90 + i)), featureLength: 2, labels }).k).toBe(
      20,
    );
  });

  test('finds the same classes whatever the lengths of the features and the order of the images', () => {
    // Twice a Golomb ruler: no two pairs have the same distance, since the order decides ties.
    const ruler = [0, 2, 6, 24, 29, 40, 43, 55, 68, 75, 76, 85].map((mark) => 2 * mark);
    const angles = fc.shuffledSubarray(ruler, { minLength: 4 });
    fc.assert(
      fc.property(angles, fc.integer({ min: 1, max: 5 }), (degrees, scale) => {
        const labels = degrees.map((d) => (d < 90 ? 0 : 1));
        const once = classifyByNeighbors({ features: at(...degrees), featureLength: 2, labels }, { k: 3 });
        const longer = classifyByNeighbors(
          { features: at(...degrees).map((x) => x * scale), featureLength: 2, labels },
          { k: 3 },
        );
        expect(longer.accuracy).toBe(once.accuracy);
        const reversed = classifyByNeighbors(
          { features: at(...degrees.toReversed()), featureLength: 2, labels: labels.toReversed() },
          { k: degrees.length },
        );
        const all = classifyByNeighbors({ features: at(...degrees), featureLength: 2, labels }, { k: degrees.length });
        expect(reversed.predictions.toReversed()).toEqual(all.predictions);
      }),
    );
  });

  test('what does not fit is named', () => {
    expect(() => classifyByNeighbors({ features: at(1), featureLength: 2, labels: [1] })).toThrow(
      /too few labelled images/,
    );
    expect(() => classifyByNeighbors({ features: at(1, 2), featureLength: 2, labels: [1] })).toThrow(
      /4 numbers are not 1 features of 2/,
    );
    const train = { features: at(1, 2), featureLength: 4, labels: [1] };
    expect(() => classifyByNeighbors({ features: at(1), featureLength: 2, labels: [1] }, { train })).toThrow(
      /4 and 2 numbers/,
    );
  });
});

describe('wilsonInterval', () => {
  test('matches published values for 50 of 100, 0 of 10 and 10 of 10', () => {
    // Worked out by hand with z² = 3.8414588; for none of n the upper end is z² / (n + z²).
    expect(wilsonInterval(50, 100)).toEqual([expect.closeTo(0.403832, 6), expect.closeTo(0.596168, 6)]);
    expect(wilsonInterval(0, 10)).toEqual([0, expect.closeTo(0.277533, 6)]);
    expect(wilsonInterval(10, 10)).toEqual([expect.closeTo(0.722467, 6), expect.closeTo(1, 12)]);
  });

  test('holds the share, within 0 and 1, and narrows with more images', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.double({ min: 0, max: 1, noNaN: true }), (n, share) => {
        const hits = Math.round(n * share);
        const [low, high] = wilsonInterval(hits, n);
        expect(low).toBeLessThanOrEqual(hits / n + 1e-12);
        expect(high).toBeGreaterThanOrEqual(hits / n - 1e-12);
        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeLessThanOrEqual(1);
        const [low4, high4] = wilsonInterval(4 * hits, 4 * n);
        expect(high4 - low4).toBeLessThan(high - low);
      }),
    );
  });
});
