import { expect, test } from 'vitest';
import { lossTerms, ownFields, progressValues, seriesOf } from './series.ts';

const ids = seriesOf.pretrain.map(({ of, key }) => `${of}:${key}`);

test('each number is listed once, those that every record has among them', () => {
  expect(new Set(ids).size).toBe(ids.length);
  for (const of of ['step', 'epoch'] as const) for (const key of ownFields[of]) expect(ids).toContain(`${of}:${key}`);
});

test('each term of a 3D loss is listed; the only one of a 2D loss is the loss', () => {
  for (const name of lossTerms['3D']) expect(ids).toContain(`step:term/${name}`);
  expect(lossTerms['2D']).toHaveLength(1);
  expect(ids).not.toContain(`step:term/${lossTerms['2D'][0]}`);
});

test('a line of progress has the numbers that the catalogue marks, as far as they were recorded', () => {
  expect(progressValues({ imagesPerSecond: 12, momentum: 1 }, seriesOf.pretrain)).toEqual({ imagesPerSecond: 12 });
  expect(progressValues({ momentum: 1 }, seriesOf.pretrain)).toEqual({});
});
