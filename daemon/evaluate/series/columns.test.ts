import { expect, test } from 'vitest';
import { metricsMessage, mostSeries } from '../../../protocol/metrics/page.ts';
import { seriesOf } from '../../../protocol/records/series.ts';
import { madeUpRecords } from '../../../test/metrics/records.ts';
import { recordsToColumns } from './columns.ts';

const records = madeUpRecords({ steps: 40, stepsPerEpoch: 5, interval: 1, collapseFrom: 7 });
const { steps, epochs, events } = recordsToColumns(records);

test('steps become columns, the terms of a phase missing in the other', () => {
  expect(steps.columns.step).toEqual(Float64Array.from({ length: 40 }, (_, i) => i));
  expect(Array.from(steps.columns.phase!).slice(3, 7)).toEqual([2, 2, 3, 3]);
  const step = records.find((r) => r.kind === 'step' && r.step === 6)!;
  if (step.kind !== 'step') throw new Error('not a step');
  expect(steps.columns.loss![6]).toBe(step.loss);
  expect(steps.columns['term/slices-slices']![6]).toBe(step.values['term/slices-slices']);
  expect(steps.columns['term/slices-slices']![2]).toBeNaN();
  expect(steps.columns.time![6]).toBe(Date.parse(step.time));
  expect(steps.columns['term/image-image']).toBeUndefined();
});

test('long tables grow; a series that comes late is missing before, also where only one phase has it', () => {
  const long = madeUpRecords({ steps: 1200, stepsPerEpoch: 300, interval: 2 });
  const { columns } = recordsToColumns(long).steps;
  const written = long.flatMap((r) => (r.kind === 'step' ? [r] : []));
  expect(Array.from(columns.loss!)).toEqual(written.map((r) => r.loss));
  expect(Array.from(columns['term/volume-slices']!)).toEqual(
    written.map((r) => r.values['term/volume-slices'] ?? Number.NaN),
  );
});

test('intervals are the ends of their series, also behind epochs without any', () => {
  const own = records.map((r) =>
    r.kind === 'epoch' && r.epoch >= 2 ? { ...r, intervals: { effectiveRank: [1, 9] as [number, number] } } : r,
  );
  const { low, high, columns } = recordsToColumns(own).epochs;
  expect(Array.from(low?.effectiveRank ?? []).slice(0, 4)).toEqual([Number.NaN, Number.NaN, 1, 1]);
  expect(Array.from(high?.effectiveRank ?? []).at(-1)).toBe(9);
  expect(low?.effectiveRank).toHaveLength(columns.step?.length ?? 0);
  expect(epochs.low).toBeUndefined();
});

test('epochs become columns; an epoch in which nothing could be measured is a gap', () => {
  expect(epochs.columns.step).toEqual(Float64Array.from({ length: 8 }, (_, i) => 5 * i + 4));
  expect(epochs.columns.effectiveRank![0]).toBeGreaterThan(5);
  const unmeasured = recordsToColumns(
    records.map((r) => (r.kind === 'epoch' && r.epoch === 0 ? { ...r, values: {} } : r)),
  );
  expect(unmeasured.epochs.columns.effectiveRank![0]).toBeNaN();
});

test('warnings become events with their advice, at the last step of their epoch', () => {
  const warning = events.filter((e) => e.kind === 'warning');
  expect(warning).toHaveLength(1);
  expect(warning[0]).toMatchObject({ step: 39, epoch: 7 });
  expect(warning[0]!.message).toMatch(/^The teacher gives .* all the weight\.$/);
  expect(warning[0]!.advice).toMatch(/^Try a faster centre/);
});

test('other events keep their words; errors and broken images stand out', () => {
  const time = '2026-01-01T00:00:00.000Z';
  const more = recordsToColumns([
    { kind: 'event', event: 'broken', message: 'a.nii is cut off', time },
    { kind: 'event', event: 'error', message: 'no space', step: 3, time },
    { kind: 'event', event: 'resume', message: 'on we go', step: 3, time },
  ]);
  expect(more.events.map((e) => [e.kind, e.step])).toEqual([
    ['warning', 0],
    ['error', 3],
    ['info', 3],
  ]);
});

test('a run without groups has no phases; a number cannot take the place of a position', () => {
  const time = '2026-01-01T00:00:00.000Z';
  const { steps: own } = recordsToColumns([
    {
      ...{ kind: 'step', step: 4, epoch: 1, group: null, loss: 2, stepMs: 1, waitMs: 0, rssMiB: 9, time },
      values: { dice: 0.5, step: 77, loss: 78, phase: 3 },
    },
  ]);
  expect(own.columns).toMatchObject({ step: Float64Array.of(4), loss: Float64Array.of(2), dice: Float64Array.of(0.5) });
  expect(own.columns.phase).toBeUndefined();
});

test('the columns are what the component accepts', () => {
  const run = { id: 'a', name: 'a', state: 'running', series: seriesOf.pretrain, steps, epochs, events, previews: [] };
  const message = { type: 'snapshot', sequence: 0, title: '', summary: [], runs: [run] };
  expect(metricsMessage.safeParse(message).success).toBe(true);
});

test('of a run with too many series, the first ones become columns, and one event says so', () => {
  const values = (name: string) =>
    Object.fromEntries(Array.from({ length: mostSeries }, (_, i) => [`${name}/${i}`, i]));
  const renamed = records.map((record) =>
    record.kind === 'step' ? { ...record, values: values(`${record.step}`) } : record,
  );
  const { steps: few, epochs: others, events: told } = recordsToColumns(renamed);
  const series = [few, others].flatMap(({ columns }) => Object.keys(columns));
  expect(new Set(series.filter((key) => !['step', 'epoch', 'time', 'phase'].includes(key))).size).toBe(mostSeries);
  expect(few.columns['0/7']?.[0]).toBe(7);
  expect(few.columns.loss).toEqual(steps.columns.loss);
  const notices = told.filter(({ message }) => message.includes(`more than ${mostSeries} different numbers`));
  expect(notices).toMatchObject([{ kind: 'info', step: 0 }]);
  expect(told).toHaveLength(events.length + 1);
});
