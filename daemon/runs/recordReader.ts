import { UnimissError } from '../../protocol/errors.ts';
import type { RunRecord } from '../../protocol/records.ts';
import { type Piece, readFrom } from '../files/readFrom.ts';
import { recordOf } from './readRecords.ts';

/** What was recorded after a cursor. */
export interface RecordsPiece {
  records: RunRecord[];
  cursor: string;
  more: boolean;
  /** Lines that are no records that this version knows. */
  leftOut: number;
}

/** Bytes that are read at once: between them other things get their turn. */
const PIECE = 256 << 10;
/** A record is shorter; what is longer is none. */
const LONGEST_LINE = 8 << 20;

/** A place between two records of a file. */
interface Cursor {
  file: string;
  offset: number;
  /** Records of this file until then were told from the file that it replaced. */
  seen: string;
  /** Time of the last record that was told. */
  last: string;
}

/**
 * A piece of the records of a run, whole lines only, also while it is being trained. Taking records back puts another file in
 * their place: what was told of the one before is not told again.
 * @param after a cursor of the answer before; 'end': nothing yet, and a cursor at the end; absent: from the first record on
 * @throws UnimissError 'run' for what is no cursor
 */
export async function readRecordsAfter(path: string, after?: string): Promise<RecordsPiece> {
  if (after === 'end') {
    const { size, file } = await readFrom(path, 0, 0);
    const cursor = format({ file, offset: size, seen: '', last: new Date().toISOString() });
    return { records: [], cursor, more: false, leftOut: 0 };
  }
  let from: Cursor = after === undefined ? { file: 'none', offset: 0, seen: '', last: '' } : parse(after);
  let piece = await linesFrom(path, from.offset);
  if (from.offset > 0 && (piece.file !== from.file || piece.size < from.offset)) {
    from = { ...from, offset: 0, seen: from.last };
    piece = await linesFrom(path, 0);
  }
  const text = piece.bytes.toString('utf8');
  const lines = text === '' ? [] : text.slice(0, -1).split('\n');
  const read = lines.flatMap((line) => recordOf(line) ?? []);
  const records = read.filter((record) => record.time > from.seen);
  const last = records.reduce((latest, { time }) => (time > latest ? time : latest), from.last);
  const offset = from.offset + piece.bytes.length;
  return {
    records,
    cursor: format({ file: piece.file, offset, seen: from.seen, last }),
    more: lines.length > 0 && offset < piece.size,
    leftOut: lines.length - read.length,
  };
}

/** Whole lines from an offset on: about a piece, or one line where that is longer. */
async function linesFrom(path: string, offset: number): Promise<Piece> {
  for (let most = PIECE; ; most *= 2) {
    const piece = await readFrom(path, offset, most);
    const end = piece.bytes.lastIndexOf(10) + 1;
    if (end > 0 || piece.bytes.length < most || most >= LONGEST_LINE)
      return { ...piece, bytes: piece.bytes.subarray(0, end) };
  }
}

function format({ file, offset, seen, last }: Cursor): string {
  return [file, offset, seen, last].join('/');
}

function parse(text: string): Cursor {
  const [, file, offset, seen, last] = /^([\w-]+)\/(\d{1,15})\/([\dTZ:.-]*)\/([\dTZ:.-]*)$/.exec(text) ?? [];
  if (file === undefined || offset === undefined || seen === undefined || last === undefined)
    throw new UnimissError('run', `"${text.slice(0, 60)}" is no place in the records of a run`, {
      place: 'after',
      remedy: 'Give the cursor of an earlier answer, or `end`.',
    });
  return { file, offset: Number(offset), seen, last };
}
