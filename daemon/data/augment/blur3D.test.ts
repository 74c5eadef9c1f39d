import { describe, expect, it } from 'vitest';
import { blurSlices } from './blur3D.ts';

const slice = Float32Array.from({ length: 20 }, (_, i) => ((i * 7) % 11) / 10);
const sigma1 = [
  0.292374, 0.447748, 0.538955, 0.61215, 0.666082, 0.340544, 0.448835, 0.507618, 0.554736, 0.641955, 0.384274, 0.431388,
  0.49767, 0.523077, 0.569903, 0.433864, 0.448309, 0.525176, 0.500072, 0.43527,
];
const sigma03 = [
  0.003453, 0.696547, 0.304971, 0.99236, 0.602286, 0.202669, 0.891593, 0.5, 0.108407, 0.797331, 0.398482, 0.008407,
  0.695796, 0.304204, 0.993111, 0.597698, 0.203453, 0.895013, 0.499249, 0.104971,
];

describe('blurSlices', () => {
  it('agrees with SciPy, each slice with its own sigma', () => {
    const values = Float32Array.from([...slice, ...slice, ...slice, ...slice]);
    blurSlices(values, [4, 4, 5], [1, 0, 0.3, 0.1]);
    const want = [...sigma1, ...slice, ...sigma03, ...slice]; // at 0.1, four deviations don't reach the next voxel
    want.forEach((v, i) => {
      expect(values[i]).toBeCloseTo(v, 5);
    });
  });
});
