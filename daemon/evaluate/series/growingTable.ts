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

  /** The column with this key; makes it if missing. */
  column(key: string): GrowingColumn {
    const present = this.columns.get(key);
    if (present) return present;
    const made = { values: new Float64Array(this.capacity).fill(Number.NaN) };
    this.columns.set(key, made);
    return made;
  }

  /** @returns the number of the new row, from 0 */
  addRow(): number {
    if (this.length === this.capacity) this.grow();
    return this.length++;
  }

  /** Rows from `from` to before `to`, without copying: valid until the next row is added. */
  slice(from = 0, to = this.length): MetricsTable {
    return {
      columns: Object.fromEntries([...this.columns].map(([key, { values }]) => [key, values.subarray(from, to)])),
    };
  }

  private grow(): void {
    this.capacity *= 2;
    for (const column of this.columns.values()) {
      const larger = new Float64Array(this.capacity).fill(Number.NaN, this.length);
      larger.set(column.values);
      column.values = larger;
    }
  }
}
