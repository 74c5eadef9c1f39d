import { expect, test } from 'vitest';
import type { MetricsEvent } from '../../protocol/metrics/page.ts';
import type { Run } from './store.ts';
import { Table } from './table.ts';
import { stepsText, warningsOf } from './warningGroups.ts';

const event = (name: string, step: number, message: string, more: Partial<MetricsEvent> = {}): MetricsEvent => ({
  ...{ kind: name === 'error' ? 'error' : name === 'resume' || name === 'start' ? 'info' : 'warning' },
  ...{ event: name, step, message },
  ...more,
});
const run = (events: MetricsEvent[]): Run => ({
  ...{ id: 'a', name: 'a', state: 'running', series: [], previews: [], progress: undefined, events },
  steps: new Table({ columns: {} }),
  epochs: new Table({
    columns: { step: [9, 19, 29, 39], epoch: [0, 1, 2, 3], time: [0, 0, 0, 0], phase: [2, 3, 2, 3] },
  }),
});
const told = (events: MetricsEvent[]) =>
  warningsOf(run(events)).map(({ events: { length }, resolved }) => [length, resolved]);

test('what ended a run is resolved when the run is resumed, and counts again when it returns', () => {
  const killed = event('warning', 26, 'killed (SIGKILL)');
  const resumed = event('resume', 26, 'resumed');
  expect(told([killed])).toEqual([[1, undefined]]);
  expect(told([killed, resumed])).toEqual([[1, 'resolved: resumed at step 26']]);
  expect(told([killed, resumed, { ...killed, step: 40 }])).toEqual([[2, undefined]]);
  expect(told([event('error', 3, 'no space'), resumed])).toEqual([[1, 'resolved: resumed at step 26']]);
});

test('a sign is over when a later epoch of its modality has none', () => {
  const sign = (epoch: number) => event('sign', 10 * epoch + 9, `rank 1.${epoch}`, { epoch });
  expect(told([sign(0)])).toEqual([[1, 'resolved: not since epoch 1']]);
  expect(told([sign(0), sign(2)])).toEqual([[2, undefined]]);
  expect(told([sign(1)])).toEqual([[1, 'resolved: not since epoch 2']]);
  expect(told([sign(3)])).toEqual([[1, undefined]]);
});

test('a broken file stays broken, whatever follows', () => {
  expect(told([event('broken', 0, 'a.nii is cut off'), event('resume', 5, 'on we go')])).toEqual([[1, undefined]]);
});

test('images that cannot be read are one warning; one more makes it another, so that it returns when it was dismissed', () => {
  const broken = ['a.nii is cut off', 'b.png: no pixels'].map((message) => event('broken', 0, message));
  const [one] = warningsOf(run(broken.slice(0, 1)));
  const [both, ...others] = warningsOf(run(broken));
  expect(one?.text).toBe('a.nii is cut off');
  expect(both?.text).toBe('2 images cannot be read. The run goes on without them.');
  expect(others).toEqual([]);
  expect(both?.key).not.toBe(one?.key);
});

test('says when it came, in steps done', () => {
  const when = (...events: MetricsEvent[]) => warningsOf(run(events)).map(stepsText);
  expect(when(event('warning', 0, 'no test cases'))).toEqual(['Before the first step']);
  expect(when(event('warning', 7, 'slow'))).toEqual(['Step 7']);
  expect(when(event('warning', 7, 'slow'), event('warning', 1200, 'slow'))).toEqual(['Steps 7 to 1,200, 2 times']);
});

test('the remedy of an error is its advice', () => {
  const [full] = warningsOf(run([event('error', 3, '/runs: no space is left\n  Free some space.')]));
  expect(full).toMatchObject({ text: '/runs: no space is left', advice: 'Free some space.' });
  const [sign] = warningsOf(run([event('sign', 3, 'flat', { epoch: 0, advice: 'Try more.' })]));
  expect(sign).toMatchObject({ text: 'flat', advice: 'Try more.' });
  expect(warningsOf(run([event('warning', 3, 'slow')]))[0]?.advice).toBeUndefined();
});
