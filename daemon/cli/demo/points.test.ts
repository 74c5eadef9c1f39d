import { expect, it } from 'vitest';
import { points } from './points.ts';

it.each([
  [0.103, '+10'],
  [-0.03, '−3'],
  [0.003, '0'],
  [-0.003, '0'],
  [0, '0'],
])('%f is %s points', (share, text) => {
  expect(points(share)).toBe(text);
});
