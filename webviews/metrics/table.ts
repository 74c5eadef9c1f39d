import type { Column, MetricsTable } from '../../protocol/metrics/page.ts';

type Kind = 'columns' | 'low' | 'high';

/** The columns of a table. They grow in place as rows are appended; NaN where nothing was recorded. */
export class Table {
  length = 0;
  private readonly sets: Record<Kind, Map<string, Float64Array>> = {
    columns: new Map(),
    low: new Map(),
    high: new Map(),
  };

  constructor(table: MetricsTable) {
    this.append(table);
  }

  /** Adds rows. A new series gets NaN for earlier rows; a missing one gets NaN for the new rows. */
  append(table: MetricsTable): void {
    const rows = Object.values(table.columns)[0]?.length ?? 0;
    if (rows === 0) return;
    const total = this.length + rows;
    for (const kind of ['columns', 'low', 'high'] as const) {
      const added: Record<string, Column> = table[kind] ?? {};
      for (const key of new Set([...this.sets[kind].keys(), ...Object.keys(added)])) {
        const target = this.room(kind, key, total);
        const source = added[key];
        // A row that was not down-sampled is its own extreme.
        const plain = kind === 'columns' ? undefined : table.columns[key];
        for (let i = 0; i < rows; i++) target[this.length + i] = finite(source?.[i] ?? plain?.[i]);
      }
    }
    this.length = total;
  }

  get keys(): string[] {
    return [...this.sets.columns.keys()];
  }

  /** The values of a series; the array is a view, valid until the next append. */
  values(key: string): Float64Array | undefined {
    return this.sets.columns.get(key)?.subarray(0, this.length);
  }

  /** The extremes of a series if its table is down-sampled. */
  extremes(key: string): { low: Float64Array; high: Float64Array } | undefined {
    const low = this.sets.low.get(key)?.subarray(0, this.length);
    const high = this.sets.high.get(key)?.subarray(0, this.length);
    return low && high ? { low, high } : undefined;
  }

  private room(kind: Kind, key: string, total: number): Float64Array {
    const old = this.sets[kind].get(key);
    if (old && old.length >= total) return old;
    const grown = new Float64Array(Math.max(total, 64, Math.ceil((old?.length ?? 0) * 1.5))).fill(Number.NaN);
    if (old) grown.set(old);
    else if (kind !== 'columns') grown.set(this.sets.columns.get(key)?.subarray(0, this.length) ?? []);
    this.sets[kind].set(key, grown);
    return grown;
  }
}

function finite(value: number | null | undefined): number {
  return value !== null && value !== undefined && Number.isFinite(value) ? value : Number.NaN;
}

/** The last row at or before `x` in ascending values, or −1. */
export function lastAtOrBefore(ascending: ArrayLike<number>, x: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle]! <= x) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The row nearest to `x` in ascending values, or −1 if there is none. */
export function nearestRow(ascending: ArrayLike<number>, x: number): number {
  const before = lastAtOrBefore(ascending, x);
  if (before < 0) return ascending.length > 0 ? 0 : -1;
  if (before + 1 >= ascending.length) return before;
  return ascending[before + 1]! - x < x - ascending[before]! ? before + 1 : before;
}
