import type { MetricsTable } from '../../protocol/metrics.ts';

/** Columns that grow at their end. A series that a piece lacks, or that comes later, is NaN there. */
export class GrowingTable {
  private readonly columns = new Map<string, Float64Array>();
  length = 0;

  append(piece: MetricsTable): void {
    const rows = piece.columns.step?.length ?? 0;
    const length = this.length + rows;
    for (const [key, values] of Object.entries(piece.columns)) {
      const column = this.room(key, length);
      for (let i = 0; i < rows; i++) column[this.length + i] = values[i] ?? Number.NaN;
    }
    for (const key of this.columns.keys())
      if (!(key in piece.columns)) this.room(key, length).fill(Number.NaN, this.length, length);
    this.length = length;
  }

  clear(): void {
    this.columns.clear();
    this.length = 0;
  }

  /** Rows from `from` to before `to`, without copying: valid until the next `append`. */
  slice(from = 0, to = this.length): MetricsTable {
    return { columns: Object.fromEntries([...this.columns].map(([key, column]) => [key, column.subarray(from, to)])) };
  }

  /** The first row whose value in a rising column is at least `value`. */
  firstRow(key: string, value: number): number {
    const column = this.columns.get(key);
    let low = 0;
    let high = column ? this.length : 0;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (column![middle]! < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The column with room for `length` rows; new ones and the room are NaN. */
  private room(key: string, length: number): Float64Array {
    const present = this.columns.get(key);
    if (present && present.length >= length) return present;
    const larger = new Float64Array(Math.max(length, 2 * (present?.length ?? 256))).fill(Number.NaN);
    if (present) larger.set(present);
    this.columns.set(key, larger);
    return larger;
  }
}
