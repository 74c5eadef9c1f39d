import { closeSync, fstatSync, fsync, ftruncateSync, readSync, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { z } from 'zod';
import { UnimissError } from '../../../protocol/errors.ts';
import { type RunRecord, runRecordSchema } from '../../../protocol/records/records.ts';
import { diskError, writeAtomically } from '../../files/atomic.ts';
import { openToAppend } from '../../files/runFile.ts';
import { readLines } from './lines.ts';
import { recordOf } from './readRecords.ts';

const fsyncAsync = promisify(fsync);

/**
 * records.jsonl of a run in training. Each record is one line and one write, so a killed process tears at most its last line;
 * opening removes that line. Only the holder of the run's lock may open it.
 */
export class RecordLog {
  private length: number;

  private constructor(
    private readonly file: string,
    private descriptor: number,
  ) {
    this.length = fstatSync(descriptor).size;
  }

  /**
   * Opens or creates the file, and removes incomplete last lines of a killed process or a power cut; `cutBytes` says how much.
   */
  static open(file: string): RecordLog & { readonly cutBytes: number } {
    try {
      const descriptor = openToAppend(file);
      const { size } = fstatSync(descriptor);
      const whole = wholeLength(descriptor, size);
      if (whole < size) ftruncateSync(descriptor, whole);
      return Object.assign(new RecordLog(file, descriptor), { cutBytes: size - whole });
    } catch (error) {
      throw diskError(error, file);
    }
  }

  /**
   * Throws UnimissError 'internal' for a record that could not be read back, 'disk' if it cannot be written. The file is then
   * unchanged.
   */
  append(record: RunRecord): void {
    const checked = runRecordSchema.safeParse(record);
    if (!checked.success)
      throw new UnimissError('internal', `invalid record: ${z.prettifyError(checked.error)}`, {
        place: this.file,
        remedy: 'Report this with the message above.',
      });
    const line = Buffer.from(`${JSON.stringify(record)}\n`);
    try {
      for (let done = 0; done < line.length; ) done += writeSync(this.descriptor, line, done);
      this.length += line.length;
    } catch (error) {
      ftruncateSync(this.descriptor, this.length);
      throw diskError(error, this.file);
    }
  }

  /**
   * Removes the records after `stepsDone` steps, for resuming from a checkpoint: step and epoch records of later steps, events at
   * later steps, events without a step after the first of these, and the preview of the next step, which will be recorded again.
   * `onKept` receives each record that stays. Returns the number of removed records.
   */
  async cutAfter(stepsDone: number, onKept: (record: RunRecord) => void = () => undefined): Promise<number> {
    const keep: string[] = [];
    let cut = 0;
    let behindCut = false;
    for await (const { text } of readLines(this.file)) {
      const record = recordOf(text);
      if (isPreviewOf(record, stepsDone)) cut++;
      else if (isAfter(record, stepsDone, behindCut)) {
        cut++;
        behindCut = true;
      } else {
        keep.push(text);
        if (record) onKept(record);
      }
    }
    if (cut === 0) return 0;
    await writeAtomically(this.file, async (handle) => {
      await handle.writeFile(keep.map((line) => `${line}\n`).join(''));
    });
    closeSync(this.descriptor);
    this.descriptor = openToAppend(this.file);
    this.length = fstatSync(this.descriptor).size;
    return cut;
  }

  /** Resolves when all records so far are on the disk. Call it before a checkpoint that relies on them. */
  async sync(): Promise<void> {
    try {
      await fsyncAsync(this.descriptor);
    } catch (error) {
      throw diskError(error, this.file);
    }
  }

  close(): void {
    closeSync(this.descriptor);
  }
}

/** A line that is no record known here counts as an event without a step. */
function isAfter(record: RunRecord | undefined, stepsDone: number, behindCut: boolean): boolean {
  if (record === undefined) return behindCut;
  if (record.kind !== 'event') return record.step >= stepsDone;
  return record.step === undefined ? behindCut : record.step > stepsDone;
}

function isPreviewOf(record: RunRecord | undefined, step: number): boolean {
  return record?.kind === 'event' && record.event === 'preview' && record.step === step;
}

/** Length of the file up to its last line that is complete and JSON: a power cut may leave zeros instead of what was written. */
function wholeLength(descriptor: number, size: number): number {
  let end = size;
  while (end > 0) {
    const newline = lastNewline(descriptor, end);
    if (newline < 0) return 0;
    const begin = lastNewline(descriptor, newline) + 1;
    const line = Buffer.alloc(newline - begin);
    readSync(descriptor, line, 0, line.length, begin);
    if (isJsonObject(line.toString('utf8'))) return newline + 1;
    end = begin;
  }
  return 0;
}

/** Position of the last line break before `end`, or −1. */
function lastNewline(descriptor: number, end: number): number {
  const block = Buffer.alloc(64 << 10);
  for (let stop = end; stop > 0; ) {
    const begin = Math.max(0, stop - block.length);
    const read = readSync(descriptor, block, 0, stop - begin, begin);
    const found = block.subarray(0, read).lastIndexOf(10);
    if (found >= 0) return begin + found;
    stop = begin;
  }
  return -1;
}

function isJsonObject(text: string): boolean {
  try {
    return typeof JSON.parse(text) === 'object';
  } catch {
    return false;
  }
}
