import { fromFormat1 } from '../../../protocol/records/earlier.ts';
import { quickCheck } from '../../../protocol/records/quickCheck.ts';
import {
  type RunRecord,
  runRecordSchema,
  type StepRecord,
  stepRecordSchema,
} from '../../../protocol/records/records.ts';
import { openRunFile } from '../../files/runFile.ts';
import { readLines } from './lines.ts';

/**
 * The records of a run in their order, also during training; none if the file does not exist yet. Skips a line that is no record
 * (of a newer version, or damaged), and passes its number to `notice`.
 */
export async function* readRecords(file: string, notice: (message: string) => void): AsyncGenerator<RunRecord> {
  for await (const { text, number } of readLines(file)) {
    const record = recordOf(text);
    if (record === undefined) notice(`${file}:${number}: skipped, because this version does not know this record`);
    else yield record;
  }
}

/** As `readRecords`, all at once: about 300 bytes a step in memory. */
export async function readAllRecords(file: string, notice: (message: string) => void): Promise<RunRecord[]> {
  const records: RunRecord[] = [];
  for await (const record of readRecords(file, notice)) records.push(record);
  return records;
}

/** The records in the last `bytes` of a file, oldest first, and whether these are all. Skips lines that are no records. */
export async function readLastRecords(file: string, bytes: number): Promise<{ records: RunRecord[]; all: boolean }> {
  const handle = await openRunFile(file);
  if (handle === undefined) return { records: [], all: true };
  try {
    const { size } = await handle.stat();
    const begin = Math.max(0, size - bytes);
    const block = Buffer.alloc(size - begin);
    const { bytesRead } = await handle.read(block, 0, block.length, begin);
    const lines = block
      .subarray(0, bytesRead)
      .toString('utf8')
      .split('\n')
      .slice(begin > 0 ? 1 : 0, -1);
    return { records: lines.flatMap((line) => recordOf(line) ?? []), all: begin === 0 };
  } finally {
    await handle.close();
  }
}

/** Nearly all records are steps. */
const isStep = quickCheck(stepRecordSchema) as (value: unknown) => value is StepRecord;

/** The record in a line, of any format so far; undefined if this version does not know it. */
export function recordOf(line: string): RunRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  return isStep(value) ? value : (fromFormat1(value) ?? runRecordSchema.safeParse(value).data);
}
