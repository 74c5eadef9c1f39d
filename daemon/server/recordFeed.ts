import { type FileHandle, open } from 'node:fs/promises';
import type { MetricsEvent, MetricsTable } from '../../protocol/metrics.ts';
import type { Position } from '../../protocol/metricsMessages.ts';
import { type RunRecord, runRecordSchema } from '../../protocol/records.ts';
import { recordsToColumns } from '../evaluate/columns.ts';
import { type SavedPreview, savedPreview } from '../runs/previewFiles.ts';
import { GrowingTable } from './growingTable.ts';

/** What came after a position. */
export interface RecordPiece {
  steps: MetricsTable;
  epochs: MetricsTable;
  events: MetricsEvent[];
  previews: SavedPreview[];
}

/** Bytes that are read at once: between them other things get their turn. */
const BLOCK = 1 << 20;
/** A record is shorter; what is longer is none. */
const LONGEST_LINE = 8 << 20;

/**
 * The records of a run as columns, read from the disk as far as they are there, and further whenever `refresh` is called: about
 * 150 bytes a step in memory. Every row knows the record that it came from, so that a reader can be told what came after any.
 */
export class RecordFeed {
  readonly steps = new GrowingTable();
  readonly epochs = new GrowingTable();
  private readonly events: { record: number; event: MetricsEvent }[] = [];
  private readonly previews: { record: number; preview: SavedPreview }[] = [];
  private records = 0;
  private offset = 0;
  private lastStep = 0;
  private file = 'none';
  private beginnings = 0;
  private reading: Promise<void> | undefined;

  constructor(private readonly path: string) {}

  get position(): Position {
    return { generation: `${this.file}/${this.beginnings}`, records: this.records };
  }

  /** Reads what was recorded since; where records were taken back, all anew. Calls at the same time share one reading. */
  refresh(): Promise<void> {
    this.reading ??= this.read().finally(() => {
      this.reading = undefined;
    });
    return this.reading;
  }

  /** What came after the first `records` records. */
  after(records: number): RecordPiece {
    const from = (table: GrowingTable) => table.slice(table.firstRow('record', records));
    return {
      steps: withoutRecord(from(this.steps)),
      epochs: withoutRecord(from(this.epochs)),
      events: this.events.filter((each) => each.record >= records).map((each) => each.event),
      previews: this.previews.filter((each) => each.record >= records).map((each) => each.preview),
    };
  }

  /** All of the steps in a range, both ends included. */
  between(fromStep: number, toStep: number): MetricsTable {
    return withoutRecord(
      this.steps.slice(this.steps.firstRow('step', fromStep), this.steps.firstRow('step', toStep + 1)),
    );
  }

  private async read(): Promise<void> {
    const handle = await open(this.path, 'r').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (!handle) return;
    try {
      const { dev, ino, birthtimeMs, size } = await handle.stat();
      // Taking records back replaces the file; cutting a torn end may shorten it.
      const file = `${dev}-${ino}-${Math.round(birthtimeMs)}`;
      if (file !== this.file || size < this.offset) this.begin(file);
      await this.readOn(handle, size);
    } finally {
      await handle.close();
    }
  }

  private begin(file: string): void {
    this.beginnings = file === this.file ? this.beginnings + 1 : 0;
    this.file = file;
    for (const table of [this.steps, this.epochs]) table.clear();
    this.events.length = 0;
    this.previews.length = 0;
    this.records = 0;
    this.offset = 0;
    this.lastStep = 0;
  }

  private async readOn(handle: FileHandle, size: number): Promise<void> {
    let block = Buffer.alloc(Math.min(BLOCK, Math.max(0, size - this.offset)));
    while (this.offset < size) {
      const { bytesRead } = await handle.read(block, 0, block.length, this.offset);
      const end = block.subarray(0, bytesRead).lastIndexOf(10) + 1;
      if (end > 0) {
        this.take(block.toString('utf8', 0, end - 1).split('\n'));
        this.offset += end;
      } else if (bytesRead < block.length || block.length >= LONGEST_LINE) break;
      else block = Buffer.alloc(2 * block.length);
    }
  }

  private take(lines: string[]): void {
    const read: RunRecord[] = [];
    const numbers: number[] = [];
    for (const line of lines) {
      const number = this.records++;
      const record = recordOf(line);
      if (!record) continue;
      if (record.kind === 'step') this.lastStep = record.step;
      // An event without a step happened at the last one, also where that was in an earlier piece.
      const placed = record.kind === 'event' ? { ...record, step: record.step ?? this.lastStep } : record;
      if (placed.kind === 'event' && placed.event === 'preview') {
        const preview = savedPreview(placed);
        if (preview) this.previews.push({ record: number, preview });
      }
      read.push(placed);
      numbers.push(number);
    }
    const { steps, epochs } = recordsToColumns(read);
    const numbersOf = (kind: RunRecord['kind']) => Float64Array.from(numbers.filter((_, i) => read[i]!.kind === kind));
    this.steps.append({ columns: { ...steps.columns, record: numbersOf('step') } });
    this.epochs.append({ columns: { ...epochs.columns, record: numbersOf('epoch') } });
    for (const [i, record] of read.entries()) {
      if (record.kind === 'step') continue;
      for (const event of recordsToColumns([record]).events) this.events.push({ record: numbers[i]!, event });
    }
  }
}

function recordOf(line: string): RunRecord | undefined {
  try {
    return runRecordSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined; // a line that is no JSON is no record; `unimiss metrics` names it
  }
}

function withoutRecord({ columns: { record: _, ...columns } }: MetricsTable): MetricsTable {
  return { columns };
}
