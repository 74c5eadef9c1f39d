import type { FileHandle } from 'node:fs/promises';
import type { Position } from '../../../protocol/metrics/messages.ts';
import type { MetricsEvent, MetricsTable } from '../../../protocol/metrics/page.ts';
import { GrowingColumns } from '../../evaluate/series/columns.ts';
import { identityOf } from '../../files/readFrom.ts';
import { openRunFile } from '../../files/runFile.ts';
import { longestRecord, readLineBlocks } from '../../runs/records/lines.ts';
import { type SavedPreview, savedPreview } from '../../runs/records/previewFiles.ts';
import { recordOf } from '../../runs/records/readRecords.ts';

/** What follows a position. */
export interface RecordPiece {
  steps: MetricsTable;
  epochs: MetricsTable;
  events: MetricsEvent[];
  previews: SavedPreview[];
}

/**
 * The records of a run as columns, about 150 bytes per step in memory. `refresh` reads new records from the disk. Every row knows
 * its record, so that a reader can get what follows any record.
 */
export class RecordFeed {
  private columns = new GrowingColumns();
  private previews: SavedPreview[] = [];
  /** The record number of each row, event and preview. */
  private numbers = emptyNumbers();
  private records = 0;
  private offset = 0;
  private file = 'none';
  private beginnings = 0;
  private reading: Promise<void> | undefined;

  constructor(private readonly path: string) {}

  get position(): Position {
    return { generation: `${this.file}/${this.beginnings}`, records: this.records };
  }

  /** Reads new records; if records were dropped, reads everything anew. Concurrent calls share one reading. */
  refresh(): Promise<void> {
    this.reading ??= this.read().finally(() => {
      this.reading = undefined;
    });
    return this.reading;
  }

  /** What follows the first `records` records. */
  after(records: number): RecordPiece {
    const { columns, previews, numbers } = this;
    return {
      steps: columns.steps.slice(firstAtLeast(numbers.steps, records)),
      epochs: columns.epochs.slice(firstAtLeast(numbers.epochs, records)),
      events: columns.events.slice(firstAtLeast(numbers.events, records)),
      previews: previews.slice(firstAtLeast(numbers.previews, records)),
    };
  }

  /** All steps in a range, both ends included. */
  between(fromStep: number, toStep: number): MetricsTable {
    const { steps } = this.columns;
    const all = steps.column('step').values.subarray(0, steps.length);
    return steps.slice(firstAtLeast(all, fromStep), firstAtLeast(all, toStep + 1));
  }

  private async read(): Promise<void> {
    const handle = await openRunFile(this.path);
    if (!handle) return;
    try {
      const stats = await handle.stat();
      const { size } = stats;
      // Dropping records replaces the file; removing a torn line may shorten it.
      const file = identityOf(stats);
      if (file !== this.file || size < this.offset) this.begin(file);
      await this.readOn(handle, size);
    } finally {
      await handle.close();
    }
  }

  private begin(file: string): void {
    this.beginnings = file === this.file ? this.beginnings + 1 : 0;
    this.file = file;
    this.columns = new GrowingColumns();
    this.previews = [];
    this.numbers = emptyNumbers();
    this.records = 0;
    this.offset = 0;
  }

  private async readOn(handle: FileHandle, size: number): Promise<void> {
    for await (const { lines, end } of readLineBlocks(handle, this.offset, size, longestRecord)) {
      for (const line of lines) this.take(line);
      this.offset = end;
    }
  }

  private take(line: string): void {
    const number = this.records++;
    // Skips a line that is no record; `unimiss metrics` names it.
    const record = recordOf(line);
    if (!record) return;
    const { columns, numbers } = this;
    columns.add(record);
    if (record.kind === 'step') numbers.steps.push(number);
    else {
      if (record.kind === 'epoch') numbers.epochs.push(number);
      else if (record.event === 'preview')
        this.takePreview(savedPreview({ step: columns.lastStep, ...record }), number);
    }
    while (numbers.events.length < columns.events.length) numbers.events.push(number);
  }

  private takePreview(preview: SavedPreview | undefined, number: number): void {
    if (!preview) return;
    this.previews.push(preview);
    this.numbers.previews.push(number);
  }
}

function emptyNumbers(): Record<keyof RecordPiece, number[]> {
  return { steps: [], epochs: [], events: [], previews: [] };
}

/** The first place in ascending values with at least `value`; their length if there is none. */
function firstAtLeast(ascending: ArrayLike<number>, value: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
