import { expect, it } from 'vitest';
import { Random } from '../random.ts';
import { addNoise } from './noise3D.ts';

it('adds independent normal noise of the given deviation', () => {
  const n = 50000;
  const values = new Float32Array(n).fill(3);
  addNoise(values, 0.1, new Random('noise'));
  const noise = Array.from(values, (v) => (v - 3) / 0.1);
  const mean = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0) / numbers.length;
  expect(Math.abs(mean(noise))).toBeLessThan(4 / Math.sqrt(n));
  expect(Math.abs(mean(noise.map((v) => v * v)) - 1)).toBeLessThan(4 * Math.sqrt(2 / n));
  expect(Math.abs(mean(noise.slice(1).map((v, i) => v * noise[i]!)))).toBeLessThan(4 / Math.sqrt(n));
  const still = new Float32Array(5).fill(3);
  addNoise(still, 0, new Random('noise'));
  expect(still).toEqual(new Float32Array(5).fill(3));
});
