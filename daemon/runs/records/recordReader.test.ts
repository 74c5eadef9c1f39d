import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RunRecord } from '../../../protocol/records/records.ts';
import { readRecordsAfter } from './recordReader.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'unimiss-records-'));
  file = join(folder, 'records.jsonl');
});
afterEach(() => rmSync(folder, { recursive: true }));

const event = (second: number, message = `at ${second}`): RunRecord => ({
  kind: 'event',
  event: 'notice',
  message,
  time: new Date(Date.UTC(2026, 0, 1) + 1000 * second).toISOString(),
});
const line = (record: RunRecord) => `${JSON.stringify(record)}\n`;

/** All messages after a cursor, and the cursor after them. */
async function read(after?: string): Promise<{ messages: string[]; cursor: string }> {
  const messages: string[] = [];
  for (let cursor = after; ; ) {
    const piece = await readRecordsAfter(file, cursor);
    for (const record of piece.records) if (record.kind === 'event') messages.push(record.message);
    cursor = piece.cursor;
    if (!piece.more) return { messages, cursor };
  }
}

test('however records and reads alternate, each record is reported once', async () => {
  const actions = fc.array(fc.oneof(fc.constant('read' as const), fc.integer({ min: 1, max: 2000 })), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(actions, async (parts) => {
      rmSync(file, { force: true });
      const told: string[] = [];
      let written = 0;
      let cursor: string | undefined;
      for (const part of [...parts, 'read' as const]) {
        if (part === 'read') {
          const piece = await read(cursor);
          told.push(...piece.messages);
          cursor = piece.cursor;
        } else for (const end = written + part; written < end; ) appendFileSync(file, line(event(written++)));
      }
      expect(told).toEqual(Array.from({ length: written }, (_, i) => `at ${i}`));
    }),
    { numRuns: 15 },
  );
});

test('a line that is still being written is reported when it is complete', async () => {
  const text = line(event(1));
  writeFileSync(file, line(event(0)) + text.slice(0, 20));
  const first = await read();
  expect(first.messages).toEqual(['at 0']);
  appendFileSync(file, text.slice(20));
  expect((await read(first.cursor)).messages).toEqual(['at 1']);
});

test('records that were removed are not sent again; those in their place are', async () => {
  writeFileSync(file, [0, 1, 2, 3].map((n) => line(event(n))).join(''));
  const { cursor } = await read();
  // More than one piece, so that the reader skips seen records across several.
  const long = 'x'.repeat(300_000);
  writeFileSync(`${file}.new`, line(event(0)) + line(event(1, long)) + line(event(9)) + line(event(10)));
  renameSync(`${file}.new`, file);
  expect((await read(cursor)).messages).toEqual(['at 9', 'at 10']);
});

test('from the end on: what is there is passed over', async () => {
  writeFileSync(file, line(event(0)));
  const { cursor } = await read('end');
  const later = line(event(4e9 / 1000)); // in years
  appendFileSync(file, later);
  expect((await read(cursor)).messages).toHaveLength(1);
});

test('lines that are no records are counted; what is no cursor is refused', async () => {
  writeFileSync(file, `nonsense\n${line(event(0))}`);
  expect(await readRecordsAfter(file)).toMatchObject({ leftOut: 1, more: false });
  await expect(readRecordsAfter(file, '../x')).rejects.toThrow(/not a cursor into the records/);
});
