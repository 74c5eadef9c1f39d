import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { quickCheck } from './quickCheck.ts';
import { type StepRecord, stepRecordSchema } from './records.ts';

const step: StepRecord = {
  ...{ kind: 'step', step: 3, epoch: 1, group: '3D', loss: 4.5, stepMs: 900, waitMs: 0, rssMiB: 300 },
  values: { 'term/volume-volume': 1, learningRate: 1e-4, gradientNorm: 1 },
  time: '2026-01-02T03:04:05.678Z',
};
const isStep = quickCheck(stepRecordSchema);

/** Whether a schema accepts a value and returns it unchanged. */
function accepts(schema: z.ZodType, value: unknown): boolean {
  const { success, data } = schema.safeParse(value);
  return success && JSON.stringify(sorted(data)) === JSON.stringify(sorted(value));
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
}

describe('the quick check of a step', () => {
  it('takes the records that a run writes, in any order of keys', () => {
    expect(isStep(step)).toBe(true);
    expect(isStep(Object.fromEntries(Object.entries(step).toReversed()))).toBe(true);
    expect(isStep({ ...step, group: null, values: {} })).toBe(true);
  });

  it('says of everything what the schema says', () => {
    const anything = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom<unknown>(
        -1,
        -0,
        0.5,
        2 ** 53,
        Number.NaN,
        Number.POSITIVE_INFINITY,
        '2D',
        'step',
        [1, '1'],
        [1, 2],
        { a: 1 },
        { a: '1' },
        { a: null },
      ),
      fc.constant<unknown>(JSON.parse('{ "__proto__": 1 }')),
      fc.constant<unknown>(new Date(0)),
      fc.constantFrom('2026-02-29T00:00:00Z', '2024-02-29T00:00:00Z', '2026-01-02T03:04:05+01:00', '2026-01-02'),
    );
    const change = fc.tuple(fc.constantFrom(...Object.keys(step), 'more', '__proto__', 'toString'), anything);
    fc.assert(
      fc.property(fc.array(change, { maxLength: 3 }), fc.subarray(Object.keys(step)), (changes, left) => {
        const record: Record<string, unknown> = {};
        for (const [key, value] of [...Object.entries(step), ...changes])
          Object.defineProperty(record, key, { value, enumerable: true, configurable: true, writable: true });
        expect(isStep(record)).toBe(accepts(stepRecordSchema, record));
        if (left.length < Object.keys(step).length)
          expect(isStep(Object.fromEntries(left.map((key) => [key, step[key as keyof StepRecord]])))).toBe(false);
      }),
      { numRuns: 2000 },
    );
    fc.assert(fc.property(anything, (value) => isStep(value) === accepts(stepRecordSchema, value)));
  });
});

it('leaves what it does not know to the schema', () => {
  const cases: [z.ZodType, unknown][] = [
    [z.object({ a: z.number().optional() }), { a: 1 }],
    [z.looseObject({ a: z.number() }), { a: 1, b: 2 }],
    [z.object({ a: z.number().multipleOf(2) }), { a: 2 }],
    [z.object({ a: z.string().max(3) }), { a: 'b' }],
    [z.object({ a: z.union([z.string(), z.number()]) }), { a: 1 }],
    [z.union([z.null(), z.number()]), 1],
    [z.record(z.enum(['a']), z.number()), { a: 1 }],
    [z.record(z.string().min(1), z.number()), { a: 1 }],
    [z.looseObject({}), { a: 1 }],
    [z.tuple([z.number()]), [1]],
    [z.array(z.number()).min(1), [1]],
  ];
  for (const [schema, value] of cases) {
    expect(schema.safeParse(value).success).toBe(true);
    expect(quickCheck(schema)(value)).toBe(false);
  }
});
