import type { BoxMask } from './surfaceVoxels.ts';

/** Lesions: parts of a mask that touch by a face, an edge or a corner. */
export interface LesionCounts {
  readonly reference: number;
  readonly predicted: number;
  /** Lesions of the reference of which at least one voxel is predicted. */
  readonly found: number;
  /** Predicted lesions without a voxel of the reference. */
  readonly extra: number;
  /** 2·found / (2·found + missed + extra), where missed = reference − found; null without any lesion. */
  readonly f1: number | null;
}

export function lesionsOf(counts: Omit<LesionCounts, 'f1'>): LesionCounts {
  const { reference, found, extra } = counts;
  const all = 2 * found + (reference - found) + extra;
  return { ...counts, f1: all === 0 ? null : (2 * found) / all };
}

/** Counts the lesions of two masks of the same box. */
export function countLesions(reference: BoxMask, prediction: BoxMask): LesionCounts {
  const r = touching(reference, prediction);
  const p = touching(prediction, reference);
  return lesionsOf({ reference: r.parts, predicted: p.parts, found: r.touched, extra: p.parts - p.touched });
}

/** Parts of a mask, and how many of them share a voxel with the other. */
function touching(mask: BoxMask, other: BoxMask): { parts: number; touched: number } {
  const { size, data } = mask;
  const row = size[2] + 2;
  const slice = row * (size[1] + 2);
  const runs = runsOf(mask);
  const { starts, ends, rows } = runs;
  const parent = Int32Array.from(starts.keys());
  const find = (run: number) => {
    let root = run;
    while (parent[root] !== root) {
      parent[root] = parent[parent[root]!]!;
      root = parent[root]!;
    }
    return root;
  };
  // Rows before this one that touch it: the row above, and the three of the slice before.
  for (let at = 0; at < rows.length - 1; at++)
    for (const back of [1, size[1] + 1, size[1] + 2, size[1] + 3]) {
      const before = at - back;
      if (before < 0) continue;
      let b = rows[before]!;
      const lastB = rows[before + 1]!;
      for (let a = rows[at]!; a < rows[at + 1]!; a++) {
        const shift = (
          back === 1 ? row : back === size[1] + 1 ? slice - row : back === size[1] + 2 ? slice : slice + row
        ) as number;
        while (b < lastB && ends[b]! + shift < starts[a]!) b++;
        for (let c = b; c < lastB && starts[c]! + shift <= ends[a]!; c++) {
          const [x, y] = [find(a), find(c)];
          if (x !== y) parent[Math.max(x, y)] = Math.min(x, y);
        }
      }
    }
  const touched = new Set<number>();
  let parts = 0;
  for (let run = 0; run < starts.length; run++) {
    const root = find(run);
    if (root === run) parts++;
    for (let i = starts[run]!; i < ends[run]!; i++)
      if (data[i]! & other.data[i]!) {
        touched.add(root);
        break;
      }
  }
  return { parts, touched: touched.size };
}

/** Runs [start, end) of ones in the mask's data. `rows[r]` is the first run of row r; rows are those of all slices with their rims. */
function runsOf({ size, data }: BoxMask): { starts: number[]; ends: number[]; rows: number[] } {
  const row = size[2] + 2;
  const starts: number[] = [];
  const ends: number[] = [];
  const rows: number[] = [];
  for (let start = 0; start < data.length; start += row) {
    rows.push(starts.length);
    for (let i = start + 1; i < start + row; i++) {
      if (data[i] !== 0 && data[i - 1] === 0) starts.push(i);
      else if (data[i] === 0 && data[i - 1] !== 0) ends.push(i);
    }
  }
  rows.push(starts.length);
  return { starts, ends, rows };
}
