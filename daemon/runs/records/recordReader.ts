import type { FileHandle } from 'node:fs/promises';
import { UnimissError } from '../../../protocol/errors.ts';
import type { RunRecord } from '../../../protocol/records/records.ts';
import { identityOf } from '../../files/readFrom.ts';
import { openRunFile } from '../../files/runFile.ts';
import { type LineBlock, longestRecord, readLineBlocks } from './lines.ts';
import { recordOf } from './readRecords.ts';

/** The records after a cursor. */
export interface RecordsPiece {
  records: RunRecord[];
  cursor: string;
  more: boolean;
  /** Number of lines that this version does not know as records. */
  leftOut: number;
}

/** A place between two records of a file. */
interface Cursor {
  file: string;
  offset: number;
  /** Records up to this time were already sent from the file that this one replaced. */
  seen: string;
  /** Time of the last record sent. */
  last: string;
}

/**
 * A piece of the records of a run, in whole lines, also during training. Dropping records replaces the file; records that were
 * already sent from the previous file are not sent again.
 * @param after the cursor of the previous answer; 'end': no records, only a cursor at the end; absent: from the first record
 * @throws UnimissError 'run' for anything that is no cursor
 */
export async function readRecordsAfter(path: string, after?: string): Promise<RecordsPiece> {
  const wanted: Cursor =
    after === undefined || after === 'end' ? { file: 'none', offset: 0, seen: '', last: '' } : parse(after);
  const handle = await openRunFile(path);
  try {
    const stats = await handle?.stat();
    const { file, size } = { file: stats ? identityOf(stats) : 'none', size: stats?.size ?? 0 };
    if (after === 'end') {
      const cursor = format({ file, offset: size, seen: '', last: new Date().toISOString() });
      return { records: [], cursor, more: false, leftOut: 0 };
    }
    const replaced = wanted.offset > 0 && (file !== wanted.file || size < wanted.offset);
    const from = replaced ? { ...wanted, offset: 0, seen: wanted.last } : wanted;
    const { lines, end } = (handle && (await firstBlock(handle, from.offset, size))) ?? { lines: [], end: from.offset };
    const read = lines.flatMap((line) => recordOf(line) ?? []);
    const records = read.filter((record) => record.time > from.seen);
    const last = records.reduce((latest, { time }) => (time > latest ? time : latest), from.last);
    return {
      records,
      cursor: format({ file, offset: end, seen: from.seen, last }),
      more: lines.length > 0 && end < size,
      leftOut: lines.length - read.length,
    };
  } finally {
    await handle?.close();
  }
}

async function firstBlock(handle: FileHandle, from: number, to: number): Promise<LineBlock | undefined> {
  for await (const block of readLineBlocks(handle, from, to, longestRecord)) return block;
  return undefined;
}

function format({ file, offset, seen, last }: Cursor): string {
  return [file, offset, seen, last].join('/');
}

function parse(text: string): Cursor {
  const [, file, offset, seen, last] = /^([\w-]+)\/(\d{1,15})\/([\dTZ:.-]*)\/([\dTZ:.-]*)$/.exec(text) ?? [];
  if (file === undefined || offset === undefined || seen === undefined || last === undefined)
    throw new UnimissError('run', `"${text.slice(0, 60)}" is not a cursor into the records of a run`, {
      place: 'after',
      remedy: 'Use the cursor of an earlier answer, or `end`.',
    });
  return { file, offset: Number(offset), seen, last };
}
