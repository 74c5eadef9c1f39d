import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blend, blendTable } from './blend.ts';

const byte = fc.integer({ min: 0, max: 255 });

describe('blend', () => {
  it('starts at one value, ends at the other, and stays in 0–255 beyond', () => {
    fc.assert(
      fc.property(byte, byte, fc.float({ min: 0, max: 3, noNaN: true }), (from, to, factor) => {
        expect(blend(from, to, 0)).toBe(from);
        expect(blend(from, to, 1)).toBe(to);
        const value = blend(from, to, factor);
        expect(Number.isInteger(value) && value >= 0 && value <= 255).toBe(true);
        expect(Math.abs(value - Math.min(255, Math.max(0, from + factor * (to - from))))).toBeLessThan(1.001);
        expect(blendTable(from, factor)[to]).toBe(value);
      }),
    );
  });

  it('truncates in single precision, as PIL does', () => {
    // 1.3 in single precision is a little less than 1.3, and times 10 rounds up to 13 again.
    expect(blend(0, 10, Math.fround(1.3))).toBe(13);
    expect(blend(10, 11, Math.fround(0.9))).toBe(10);
  });
});
