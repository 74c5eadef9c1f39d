import type { MetricsTable } from '../../../protocol/metrics/page.ts';

/** A column of a table; `values` is a new array after the table has grown. */
export interface GrowingColumn {
  values: Float64Array;
}

/** Columns that grow at their end. Values that were never set are NaN, including rows before a column was added. */
export class GrowingTable {
  length = 0;
  private capacity = 256;
  private readonly columns = new Map<string, GrowingColumn>();
  /** Ends of intervals, by the keys of their columns. */
  private readonly low = new Map<string, GrowingColumn>();
  private readonly high = new Map<string, GrowingColumn>();

  /** The column with this key; makes it if missing. */
  column(key: string): GrowingColumn {
    return this.in(this.columns, key);
  }

  /** Sets the interval of a value. */
  setInterval(row: number, key: string, [low, high]: readonly [number, number]): void {
    this.in(this.low, key).values[row] = low;
    this.in(this.high, key).values[row] = high;
  }

  /** @returns the number of the new row, from 0 */
  addRow(): number {
    if (this.length === this.capacity) this.grow();
    return this.length++;
  }

  /** Rows from `from` to before `to`, without copying: valid until the next row is added. */
  slice(from = 0, to = this.length): MetricsTable {
    const part = (columns: ReadonlyMap<string, GrowingColumn>) =>
      Object.fromEntries([...columns].map(([key, { values }]) => [key, values.subarray(from, to)]));
    return {
      columns: part(this.columns),
      ...(this.low.size > 0 && { low: part(this.low), high: part(this.high) }),
    };
  }

  private in(columns: Map<string, GrowingColumn>, key: string): GrowingColumn {
    const present = columns.get(key);
    if (present) return present;
    const made = { values: new Float64Array(this.capacity).fill(Number.NaN) };
    columns.set(key, made);
    return made;
  }

  private grow(): void {
    this.capacity *= 2;
    for (const column of [this.columns, this.low, this.high].flatMap((columns) => [...columns.values()])) {
      const larger = new Float64Array(this.capacity).fill(Number.NaN, this.length);
      larger.set(column.values);
      column.values = larger;
    }
  }
}
