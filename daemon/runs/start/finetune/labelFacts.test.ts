import { expect, it } from 'vitest';
import { balanced } from './labelFacts.ts';

it('balanced weights are inverse to the counts and 1 on average; a class that never occurs gets 1', () => {
  expect(balanced([30, 10, 0])).toEqual([0.5, 1.5, 1]);
  expect(balanced([7])).toEqual([1]);
});
