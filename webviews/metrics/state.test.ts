import { expect, test } from 'vitest';
import { initialState, readState } from './state.ts';

test('what was kept is read back', () => {
  const state = {
    ...initialState,
    xAxis: 'epoch' as const,
    view: [2, 5] as [number, number],
    hiddenRuns: ['b'],
    previewStep: 40,
  };
  expect(readState(JSON.parse(JSON.stringify(state)))).toEqual(state);
});

test.each([
  [undefined],
  [null],
  ['text'],
  [{ xAxis: 'weeks', smoothing: 'much', view: [5, 2], hiddenRuns: [1], previewStep: Number.NaN }],
])('anything else gives the initial state: %j', (kept) => expect(readState(kept)).toEqual(initialState));
