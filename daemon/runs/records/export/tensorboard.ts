import { closeSync, lstatSync, openSync, readdirSync, readSync, rmSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { RunRecord } from '../../../../protocol/records/records.ts';
import { ownFields, type Series } from '../../../../protocol/records/series.ts';
import { diskError } from '../../../files/atomic.ts';
import { makeFolder } from '../../../files/folder.ts';
import { maskedCrc32c } from './crc32c.ts';
import { encodeScalarEvent, encodeVersionEvent, type Scalar } from './eventProto.ts';

/** The writer of an event file: the trainer while it trains, or an export of records. */
type Writer = 'train' | 'export';

export interface TensorBoardOptions {
  /** Id of the run. */
  run: string;
  writer: Writer;
  /** Whether the folder belongs to the run, so that no other process can be writing event files of this run there. */
  alone?: boolean;
  /** Seconds since 1970. */
  wallTime?: number;
  /** The catalogue of the run's numbers, which decides the tags. */
  series: readonly Series[];
}

/**
 * Names of our event files: writer and run. TensorBoard requires the first part; files of other programs do not end like this.
 */
const ours = /^events\.out\.tfevents\..+\.unimiss-(train|export)\.([^/]+)$/;
/** Event files of version 0.1.0, and of many other programs. */
const unmarked = /^events\.out\.tfevents\.\d+\.[^/]+\.\d+$/;
/** No other program writes this tag within the first bytes of a file. */
const ownTag = 'schedule/learningRate';

/**
 * The curves of a run as an event file that TensorBoard reads, also while it grows. Steps and epochs become scalars at their
 * step; scalars that differ by group carry the group's name: `loss/2D`, `collapse/teacherEntropy/3D`, `schedule/learningRate`.
 */
export class TensorBoardFile {
  private constructor(
    readonly file: string,
    private readonly descriptor: number,
    private readonly tags: Tags,
  ) {}

  /**
   * Starts anew in a folder. Removes what this writer wrote there for the run, because a resumed run may drop steps in it; with
   * `alone`, removes everything that we wrote there for the run. Keeps files of other programs, of other runs, and files that
   * still grow.
   */
  static async open(folder: string, options: TensorBoardOptions): Promise<TensorBoardFile> {
    const { run, writer, wallTime = Date.now() / 1000, series } = options;
    const place = `${Math.floor(wallTime)}.${hostname()}.${process.pid}`;
    const file = join(folder, `events.out.tfevents.${place}.unimiss-${writer}.${run}`);
    let board: TensorBoardFile;
    try {
      await makeFolder(folder);
      for (const name of readdirSync(folder)) if (isReplaced(folder, name, options)) rmSync(join(folder, name));
      board = new TensorBoardFile(file, openSync(file, 'wx'), new Tags(series));
    } catch (error) {
      throw diskError(error, folder);
    }
    board.write(encodeVersionEvent(wallTime));
    return board;
  }

  /** Writes the scalars of a record; events have none. */
  append(record: RunRecord): void {
    if (record.kind === 'event') return;
    this.write(encodeScalarEvent(Date.parse(record.time) / 1000, record.step, this.tags.scalarsOf(record)));
  }

  close(): void {
    closeSync(this.descriptor);
  }

  private write(event: Buffer): void {
    try {
      const framed = frame(event);
      for (let done = 0; done < framed.length; ) done += writeSync(this.descriptor, framed, done);
    } catch (error) {
      throw diskError(error, this.file);
    }
  }
}

/** Writes a whole run as an event file into a folder, replacing an earlier export. Returns its path. */
export async function exportTensorBoard(
  records: Iterable<RunRecord> | AsyncIterable<RunRecord>,
  folder: string,
  { run, alone = false, series }: Pick<TensorBoardOptions, 'run' | 'alone' | 'series'>,
): Promise<string> {
  const board = await TensorBoardFile.open(folder, { run, alone, series, writer: 'export' });
  try {
    for await (const record of records) board.append(record);
  } finally {
    board.close();
  }
  return board.file;
}

function isReplaced(folder: string, name: string, { run, writer, alone = false }: TensorBoardOptions): boolean {
  const [, by, of] = ours.exec(name) ?? [];
  if (by !== undefined) return of === run && (by === writer || alone);
  return alone && unmarked.test(name) && beginsWithOurs(join(folder, name));
}

/** Whether we wrote an event file that lacks our mark. */
function beginsWithOurs(file: string): boolean {
  if (!lstatSync(file).isFile()) return false;
  const descriptor = openSync(file, 'r');
  try {
    const head = Buffer.alloc(4096);
    return head.subarray(0, readSync(descriptor, head)).includes(ownTag);
  } finally {
    closeSync(descriptor);
  }
}

/** TFRecord: length (64 bits, little-endian), its masked CRC, the content, its masked CRC. */
function frame(content: Buffer): Buffer {
  const framed = Buffer.alloc(16 + content.length);
  framed.writeBigUInt64LE(BigInt(content.length), 0);
  framed.writeUInt32LE(maskedCrc32c(framed.subarray(0, 8)), 8);
  content.copy(framed, 12);
  framed.writeUInt32LE(maskedCrc32c(content), 12 + content.length);
  return framed;
}

/** Tags of a run's numbers, by the catalogue; an unlisted number gets the usual tag. */
class Tags {
  private readonly listed = new Map<string, string>();

  constructor(series: readonly Series[]) {
    for (const { of, key, tag } of series) if (tag !== undefined) this.listed.set(`${of}:${key}`, tag);
  }

  scalarsOf(record: Exclude<RunRecord, { kind: 'event' }>): Scalar[] {
    const own: [string, number][] =
      record.kind === 'step'
        ? ownFields.step.map((key) => [key, record[key]])
        : ownFields.epoch.map((key) => [key, record[key]]);
    const intervals = record.kind === 'epoch' ? Object.entries(record.intervals ?? {}) : [];
    return [
      ...[...own, ...Object.entries(record.values)].map(([key, value]) => ({ tag: this.tagOf(record, key), value })),
      ...intervals.flatMap(([key, ends]) =>
        ends.map((value, end) => ({ tag: `${this.tagOf(record, key)}/${end === 0 ? 'low' : 'high'}`, value })),
      ),
    ];
  }

  private tagOf({ kind, group }: Exclude<RunRecord, { kind: 'event' }>, key: string): string {
    const tag = this.listed.get(`${kind}:${key}`) ?? `${kind === 'epoch' ? 'epoch/' : ''}${key}/{group}`;
    return group === null ? tag.replace('/{group}', '') : tag.replace('{group}', group);
  }
}
