import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stretchContrast } from './contrast3D.ts';
import { statisticsOf } from './parts.ts';

/** As two slices of 10 voxels, or one volume of 20. */
const source = () => Float32Array.from({ length: 20 }, (_, i) => ((i * 7) % 11) / 10);
const bySlice = [
  0.0, 0.738, 0.258, 1.0, 0.618, 0.138, 0.978, 0.498, 0.018, 0.858, 0.386, 0.0, 0.746, 0.266, 1.0, 0.626, 0.146, 0.986,
  0.506, 0.026,
];
const byVolume = [
  0.0, 0.742, 0.262, 1.0, 0.622, 0.142, 0.982, 0.502, 0.022, 0.862, 0.382, 0.0, 0.742, 0.262, 1.0, 0.622, 0.142, 0.982,
  0.502, 0.022,
];
const volumes = fc.float32Array({ minLength: 1, maxLength: 40, min: -2, max: 2, noNaN: true });

describe('stretchContrast', () => {
  it.each([
    ['slice by slice', [1.2, 1.2], bySlice],
    ['over the volume', [1.2], byVolume],
  ])('agrees with batchgenerators %s', (_, amounts, want) => {
    const values = source();
    stretchContrast(values, amounts);
    want.forEach((v, i) => {
      expect(values[i]).toBeCloseTo(v, 5);
    });
  });

  it('stays in the range that the values had, and changes nothing at 1', () => {
    fc.assert(
      fc.property(volumes, fc.double({ min: 0.75, max: 1.25, noNaN: true }), (list, factor) => {
        const before = statisticsOf(list);
        const values = list.slice();
        stretchContrast(values, [factor]);
        const after = statisticsOf(values);
        expect(after.min).toBeGreaterThanOrEqual(before.min);
        expect(after.max).toBeLessThanOrEqual(before.max);
        if (factor < 1) expect(after.deviation).toBeCloseTo(before.deviation * factor, 5);
        const same = list.slice();
        stretchContrast(same, [1]);
        same.forEach((v, i) => {
          expect(v).toBeCloseTo(list[i]!, 5);
        });
      }),
    );
  });
});
