import type { Size3 } from '../data/prepared/types.ts';

/**
 * Keeps only the largest component of some classes, in place: their other voxels become 0. Voxels of one class that touch by a face, an
 * edge or a corner are one component; of equally large ones, the first in C order stays.
 * @param map class numbers [D, H, W]
 * @param classes class numbers, without 0
 */
export function keepLargest(map: Uint8Array | Uint16Array, size: Size3, classes: ReadonlySet<number>): void {
  const runs = runsOf(map, size, classes);
  const { starts, ends, labels } = runs;
  const parents = joined(runs, size);
  const voxels = new Float64Array(starts.length);
  for (let r = 0; r < starts.length; r++) voxels[rootOf(parents, r)]! += ends[r]! - starts[r]!;
  const largest = new Map<number, number>();
  for (let r = 0; r < starts.length; r++) {
    const best = largest.get(labels[r]!);
    if (parents[r] === r && (best === undefined || voxels[r]! > voxels[best]!)) largest.set(labels[r]!, r);
  }
  for (let r = 0; r < starts.length; r++)
    if (largest.get(labels[r]!) !== rootOf(parents, r)) map.fill(0, starts[r]!, ends[r]!);
}

/** Voxels [start, end) of one class in a row. */
interface Runs {
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  readonly labels: readonly number[];
  /** The first run of each row, and of one more. */
  readonly rows: Int32Array;
}

function runsOf(map: Uint8Array | Uint16Array, [depth, height, width]: Size3, classes: ReadonlySet<number>): Runs {
  const [starts, ends, labels]: [number[], number[], number[]] = [[], [], []];
  const rows = new Int32Array(depth * height + 1);
  for (let row = 0; row < depth * height; row++) {
    rows[row] = starts.length;
    const end = (row + 1) * width;
    for (let from = row * width; from < end; ) {
      const label = map[from]!;
      let to = from + 1;
      while (to < end && map[to] === label) to++;
      if (classes.has(label)) {
        starts.push(from);
        ends.push(to);
        labels.push(label);
      }
      from = to;
    }
  }
  rows[depth * height] = starts.length;
  return { starts, ends, labels, rows };
}

/** Joins runs of one class that touch; the root of a component is its first run. */
function joined({ starts, ends, labels, rows }: Runs, [depth, height, width]: Size3): Int32Array {
  const parents = Int32Array.from(starts, (_, r) => r);
  const before = [
    [0, -1],
    [-1, -1],
    [-1, 0],
    [-1, 1],
  ] as const;
  for (let z = 0; z < depth; z++)
    for (let y = 0; y < height; y++)
      for (const [dz, dy] of before) {
        if (z + dz < 0 || y + dy < 0 || y + dy >= height) continue;
        const [row, other] = [z * height + y, (z + dz) * height + y + dy];
        const shift = (row - other) * width;
        let b = rows[other]!;
        for (let a = rows[row]!; a < rows[row + 1]!; a++) {
          // Runs that end before this one begins are behind all that follow too; a corner counts, hence the equal sign.
          while (b < rows[other + 1]! && ends[b]! + shift < starts[a]!) b++;
          for (let c = b; c < rows[other + 1]! && starts[c]! + shift <= ends[a]!; c++)
            if (labels[c] === labels[a]) join(parents, a, c);
        }
      }
  return parents;
}

function join(parents: Int32Array, a: number, b: number): void {
  const [one, other] = [rootOf(parents, a), rootOf(parents, b)];
  parents[Math.max(one, other)] = Math.min(one, other);
}

function rootOf(parents: Int32Array, run: number): number {
  let root = run;
  while (parents[root] !== root) {
    parents[root] = parents[parents[root]!]!;
    root = parents[root]!;
  }
  return root;
}
