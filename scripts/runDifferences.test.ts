import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compareCheckpoints, compareRecords, lastCheckpoint, readRecords } from './runDifferences.mjs';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'unimiss-differences-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const records = (name: string, ...lines: object[]) => {
  const file = join(folder, name);
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return readRecords(file);
};
const step = { kind: 'step', step: 0, epoch: 0, phase: '3D', loss: 1.5, terms: [1, 0.5], stepMs: 7, time: 'now' };
const epoch = { kind: 'epoch', epoch: 0, step: 0, loss: 1.5, seconds: 3, collapse: { klToUniform: 2 }, warnings: [] };
const event = { kind: 'event', event: 'finish', message: 'Finished', step: 1 };

test('records of two formats agree where their numbers do, whatever the times', () => {
  const later = [
    { kind: 'step', step: 0, epoch: 0, group: '3D', loss: 1.5, values: { first: 1, second: 0.5 }, stepMs: 9 },
    { kind: 'epoch', epoch: 0, step: 0, group: '3D', loss: 1.5, seconds: 5, values: { klToUniform: 2 } },
  ];
  const found = compareRecords(records('a', event, step, epoch), records('b', ...later));
  expect(found.differences).toEqual([]);
  expect(found.rows).toEqual([
    { what: 'step records', compared: 1, numbers: 3, differing: 0 },
    { what: 'epoch records', compared: 1, numbers: 4, differing: 0 },
  ]);
  expect(found.notes).toEqual([
    'step records: terms.0 is first in the second run',
    'step records: terms.1 is second in the second run',
  ]);
});

test('a number in its last digit, a record too many and a run without records are differences', () => {
  const a = records('a', step, epoch);
  const off = { ...step, loss: 1.5000000000000002 };
  expect(compareRecords(a, records('b', off, epoch)).differences).toEqual([
    'step 0: loss is 1.5 and 1.5000000000000002',
  ]);
  expect(compareRecords(a, records('b', step, { ...step, step: 1 }, epoch)).differences).toEqual([
    'step 1 is only in the second run',
  ]);
  expect(compareRecords(a, records('b', step, { ...epoch, collapse: { klToUniform: 3 } })).differences).toEqual([
    'epoch 0: klToUniform is 2 and 3',
  ]);
  expect(compareRecords(records('a'), records('b')).differences).toEqual([
    'there is no step record to compare',
    'there is no epoch record to compare',
  ]);
});

function checkpoint(name: string, tensors: Record<string, number[]>, metadata: object): string {
  let at = 0;
  const header: Record<string, unknown> = { __metadata__: metadata };
  for (const [tensor, values] of Object.entries(tensors)) {
    header[tensor] = { dtype: 'F32', shape: [values.length], data_offsets: [at, at + 4 * values.length] };
    at += 4 * values.length;
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const file = join(folder, name);
  const data = Buffer.from(Float32Array.from(Object.values(tensors).flat()).buffer);
  writeFileSync(file, Buffer.concat([length, json, data]));
  return file;
}

test('checkpoints: names, shapes and every byte, in any order; of the metadata the numbers', () => {
  const counters = (it: object) => ({ counters: JSON.stringify(it) });
  const a = checkpoint('a', { x: [1, 2], y: [3] }, { format: '1', sha256: '1', ...counters({ step: 8 }) });
  const other = checkpoint('b', { y: [3], x: [1, 2] }, { format: '2', ...counters({ step: 8, draws: 4, seconds: 2 }) });
  const found = compareCheckpoints(a, other);
  expect(found.differences).toEqual([]);
  expect(found.notes).toEqual(['counters: counters.draws is only in the second checkpoint']);
  const differences = (tensors: Record<string, number[]>, step = 8) =>
    compareCheckpoints(a, checkpoint('c', tensors, counters({ step }))).differences;
  expect(differences({ x: [1, 2.0000002], y: [3] })).toEqual(['tensor x has other values']);
  expect(differences({ x: [1, 2, 3], y: [3] })).toEqual(['tensor x is F32 [2] and F32 [3]']);
  expect(differences({ x: [1, 2] })).toEqual(['tensor y is only in the first checkpoint']);
  expect(differences({ x: [1, 2], y: [3] }, 9)).toEqual(['counters: counters.step is 8 and 9']);
});

test('the last checkpoint is that of the highest step', () => {
  for (const name of ['step-000000009.safetensors', 'step-000000010.safetensors', 'step-000000011.safetensors.damaged'])
    writeFileSync(join(folder, name), '');
  expect(lastCheckpoint(folder)).toBe(join(folder, 'step-000000010.safetensors'));
});
