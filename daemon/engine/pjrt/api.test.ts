import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { koffi } from '../../native/native.ts';
import { PjrtApi } from './api.ts';
import { compileOptions } from './compileOptions.ts';
import { slotOf, TABLE_START } from './slots.ts';

const FUNCTIONS = 118; // of version 0.81

/** A plugin's table in memory, with functions that are never called. */
function table({ major = 0, minor = 81, size = TABLE_START + 8 * FUNCTIONS, without = [] as number[] }): BigInt64Array {
  const slots = new BigInt64Array(new ArrayBuffer(TABLE_START + 8 * FUNCTIONS)).fill(1n);
  slots[0] = BigInt(size);
  new Int32Array(slots.buffer).set([major, minor], 8);
  for (const slot of without) slots[TABLE_START / 8 + slot] = 0n;
  return slots;
}

const opened = (slots: BigInt64Array) => new PjrtApi('/plugin.so', BigInt(koffi.address(slots)));

test('a table of the oldest version that was tried is taken', () => {
  const slots = table({});
  expect(opened(slots).version).toBe('0.81');
  expect(slots.length).toBe(TABLE_START / 8 + FUNCTIONS);
});

test.each([
  ['too old', { minor: 80 }, /0\.80 of PJRT's C API; 0\.81 or newer/],
  ['another major version', { major: 1, minor: 90 }, /version 1\.90/],
  ['a short table', { size: TABLE_START + 8 * 50 }, /lacks .*PJRT_LoadedExecutable_Execute/],
  ['a missing function', { without: [slotOf.Client_Compile] }, /lacks PJRT_Client_Compile$/m],
])('%s is refused with a sentence', (_, wrong, message) => {
  expect(() => opened(table(wrong))).toThrow(message);
});

test('what is optional may be missing', () => {
  const api = opened(table({ without: [slotOf.Device_MemoryStats] }));
  expect(api.has('Device_MemoryStats')).toBe(false);
  expect(api.has('Client_Compile')).toBe(true);
});

test('a missing file, and a file that is no library, are refused', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pjrt-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  expect(() => PjrtApi.load(join(folder, 'none.so'))).toThrow(/cannot be used: the file is missing/);
  const file = join(folder, 'text.so');
  writeFileSync(file, 'no library');
  expect(() => PjrtApi.load(file)).toThrow(/cannot be used: .*(invalid ELF|file too short)/);
});

test('options always tell replicas and partitions, whose absence ends the process', () => {
  expect([...compileOptions()]).toEqual([0x1a, 4, 0x20, 1, 0x28, 1]);
  const text = Buffer.from(compileOptions({ xla_flag: true, xla_level: 300 }));
  expect(text.subarray(0, 6)).toEqual(Buffer.from([0x1a, 4, 0x20, 1, 0x28, 1]));
  expect([...text.subarray(6)]).toEqual([
    ...[0x3a, 14, 0x0a, 8, ...Buffer.from('xla_flag'), 0x12, 2, 0x10, 1],
    ...[0x3a, 16, 0x0a, 9, ...Buffer.from('xla_level'), 0x12, 3, 0x18, 0xac, 0x02],
  ]);
});
