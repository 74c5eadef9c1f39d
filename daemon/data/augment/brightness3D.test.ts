import { expect, it } from 'vitest';
import { addBrightness, multiplyBrightness } from './brightness3D.ts';

it('multiplies each slice by its factor, or all by one', () => {
  const values = Float32Array.of(1, 2, 3, 4);
  multiplyBrightness(values, [2, 0.5]);
  expect([...values]).toEqual([2, 4, 1.5, 2]);
  multiplyBrightness(values, [2]);
  expect([...values]).toEqual([4, 8, 3, 4]);
});

it('adds its offset to each slice, or one to all', () => {
  const values = Float32Array.of(1, 2, 3, 4);
  addBrightness(values, [1, -1]);
  expect([...values]).toEqual([2, 3, 2, 3]);
  addBrightness(values, [0.5]);
  expect([...values]).toEqual([2.5, 3.5, 2.5, 3.5]);
});
