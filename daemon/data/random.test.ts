import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from './random.ts';

const draws = (random: Random, count: number, draw: (r: Random) => number) =>
  Array.from({ length: count }, () => draw(random));
const meanOf = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
const keyPart = fc.oneof(fc.string(), fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }));

describe('Random', () => {
  it('is decided by its key alone', () => {
    fc.assert(
      fc.property(fc.array(keyPart, { maxLength: 5 }), (key) => {
        const first = new Random(...key);
        const other = new Random('another stream');
        const a = draws(first, 8, (r) => {
          other.uniform();
          return r.uniform();
        });
        expect(draws(new Random(...key), 8, (r) => r.uniform())).toEqual(a);
      }),
    );
  });

  it('gives different streams for different keys', () => {
    const streams = [[], [0], ['0'], [''], [0, 0], [1], ['1'], [-1], [0.5], ['ab', 'c'], ['a', 'bc'], ['abc']];
    for (let i = 2; i < 2000; i++) streams.push([i], [1, i]);
    const firsts = new Set(streams.map((key) => new Random(...(key as (string | number)[])).uniform()));
    expect(firsts.size).toBe(streams.length);
    expect(new Random(-0).uniform()).toBe(new Random(0).uniform());
  });

  it('keeps its streams from version to version, so that a run can be repeated', () => {
    const random = new Random(42, 3, 'sub-01/ct.nii.gz', 'view', 0);
    expect([random.uniform(), random.uniform(), random.int(1000), random.normal()]).toMatchInlineSnapshot(`
      [
        0.8148551337154466,
        0.3083817385352121,
        643,
        -0.6065877638095898,
      ]
    `);
  });

  it('draws first numbers of neighbouring keys that are uncorrelated and uniform', () => {
    const n = 20000;
    const firsts = Array.from({ length: n }, (_, i) => new Random(7, i).uniform());
    expect(Math.abs(meanOf(firsts) - 0.5)).toBeLessThan(4 * Math.sqrt(1 / 12 / n));
    const products = firsts.slice(1).map((u, i) => (u - 0.5) * (firsts[i]! - 0.5) * 12);
    expect(Math.abs(meanOf(products))).toBeLessThan(4 / Math.sqrt(n));
  });

  it('fills its range evenly', () => {
    const n = 60000;
    const counts = new Array<number>(12).fill(0);
    const random = new Random('dice');
    for (let i = 0; i < n; i++) counts[random.int(12)]!++;
    const chiSquare = counts.reduce((sum, count) => sum + (count - n / 12) ** 2 / (n / 12), 0);
    expect(chiSquare).toBeLessThan(31.3); // 11 degrees of freedom, p = 0.001
  });

  it('draws normal numbers: moments and tails', () => {
    const n = 100000;
    const values = draws(new Random('normal'), n, (r) => r.normal());
    expect(Math.abs(meanOf(values))).toBeLessThan(4 / Math.sqrt(n));
    expect(Math.abs(meanOf(values.map((v) => v * v)) - 1)).toBeLessThan(4 * Math.sqrt(2 / n));
    expect(Math.abs(meanOf(values.map((v) => v ** 4)) - 3)).toBeLessThan(4 * Math.sqrt(96 / n));
    const outside = meanOf(values.map((v) => (Math.abs(v) > 1.959964 ? 1 : 0)));
    expect(Math.abs(outside - 0.05)).toBeLessThan(4 * Math.sqrt((0.05 * 0.95) / n));
  });

  it('stays within the bounds it is given', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 4294967296 }), (seed, n) => {
        const random = new Random(seed);
        const whole = random.int(n);
        expect(Number.isInteger(whole) && whole >= 0 && whole < n).toBe(true);
        const real = random.uniform(-3, 5);
        expect(real >= -3 && real < 5).toBe(true);
        expect(random.bool(0)).toBe(false);
        expect(random.bool(1)).toBe(true);
      }),
    );
    const random = new Random('coin');
    const share = meanOf(draws(random, 20000, (r) => (r.bool(0.3) ? 1 : 0)));
    expect(Math.abs(share - 0.3)).toBeLessThan(4 * Math.sqrt(0.21 / 20000));
  });

  it('shuffles into every order equally often', () => {
    const counts = new Map<string, number>();
    const random = new Random('orders');
    const n = 24000;
    for (let i = 0; i < n; i++) {
      const order = random.shuffle([0, 1, 2, 3]).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    const chiSquare = [...counts.values()].reduce((sum, c) => sum + (c - n / 24) ** 2 / (n / 24), 0);
    expect(chiSquare).toBeLessThan(49.7); // 23 degrees of freedom, p = 0.001
  });

  it('refuses what it cannot draw', () => {
    for (const n of [0, -1, 1.5, Number.NaN, 2 ** 33]) expect(() => new Random(1).int(n)).toThrow(/whole number/);
    expect(() => new Random(Number.NaN)).toThrow(/random key/);
  });
});
