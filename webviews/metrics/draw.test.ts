import { expect, it } from 'vitest';
import { withRoom } from './draw.ts';

const mark = (x: number, severe = false) => ({ x, severe });

it('draws the first of marks that would run into each other, and an error rather than a warning', () => {
  const all = [mark(0), mark(5), mark(9, true), mark(30), mark(12), mark(31)];
  expect(withRoom(all, ({ x }) => x, 14)).toEqual([mark(9, true), mark(30)]);
  expect(withRoom(all, ({ x }) => 20 * x, 14)).toHaveLength(all.length);
});
