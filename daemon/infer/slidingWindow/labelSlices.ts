import { scoreTaps, type TapRun, tapRuns } from './scoreTaps.ts';

/**
 * How the scores of a voxel become labels. `exclusive`: the class with the highest score, the first of equal ones. `overlapping`:
 * every class whose score is above 0, where the sigmoid is ½.
 */
export type Choice = 'exclusive' | 'overlapping';

/** A slice of scores. */
export interface ScoreSlice {
  /** [H, W, classes] */
  readonly scores: Float32Array;
  /** [H, W]: the class with the highest score, the first of equal ones. */
  readonly best: Uint16Array;
}

/** An output slice between two slices of scores. */
export interface SliceBetween {
  /** Share of the upper slice of scores, 0 … 1. */
  readonly share: number;
  /** Exclusive: one map [H, W] of class numbers; overlapping: a map [H, W] a class, 1 where it is there. */
  readonly maps: readonly (Uint8Array | Uint16Array)[];
}

/** Finds the best class of each voxel of a slice. */
export function rank({ scores, best }: ScoreSlice): void {
  const classes = scores.length / best.length;
  for (let p = 0, at = 0; p < best.length; p++, at += classes) {
    let found = 0;
    let value = scores[at]!;
    for (let k = 1; k < classes; k++)
      if (scores[at + k]! > value) {
        found = k;
        value = scores[at + k]!;
      }
    best[p] = found;
  }
}

/** Most scores of a slice that one output is a mean of: two rows, two columns. */
const mostCorners = 4;
/** Rounding of means must not exclude a class that is equal to the best. */
const tolerance = 1e-5;

/** Rows or columns [from, to). */
type Span = Pick<TapRun, 'from' | 'to'>;

/**
 * Labels of output slices, from scores that are interpolated linearly along all three axes. Outputs that are means of the same scores are
 * a block. Where one class is the best of all scores of a block, it is the best of every mean. Elsewhere a class can be the best only if its
 * highest score reaches what another class has at least: mostly two or three can, and only those are interpolated. So the result
 * is that of interpolating all classes at all voxels.
 */
export class LabelSlices {
  private readonly rows: readonly TapRun[];
  private readonly columns: readonly TapRun[];
  /** Columns of the labels. */
  private readonly width: number;
  /** Places of a block's scores in a slice. */
  private readonly corners = new Int32Array(mostCorners);
  private readonly candidates: Uint16Array;
  /** Those that are left for a slice of a block, and for a row of it. */
  private readonly ofSlice: Uint16Array;
  private readonly ofRow: Uint16Array;
  /** By candidate: its highest score; and the places of those that are left. */
  private readonly most: Float64Array;
  private readonly kept: Uint16Array;
  /** By class, 1: it is a candidate. */
  private readonly chosen: Uint8Array;
  /** Scores of the candidates [corner, candidate]: of both slices, mixed along the slices, and along the rows too. */
  private readonly lower: Float64Array;
  private readonly upper: Float64Array;
  private readonly mixed: Float64Array;
  private readonly row: Float64Array;
  /** By class: the lowest and the highest score of a block. */
  private readonly low: Float32Array;
  private readonly high: Float32Array;

  /**
   * @param from [H, W] of the scores
   * @param to [H, W] of the labels
   */
  constructor(
    private readonly from: readonly [number, number],
    to: readonly [number, number],
    private readonly classes: number,
    private readonly choice: Choice,
  ) {
    this.rows = tapRuns(scoreTaps(from[0], to[0]));
    this.columns = tapRuns(scoreTaps(from[1], to[1]));
    this.width = to[1];
    this.candidates = new Uint16Array(classes);
    this.chosen = new Uint8Array(classes);
    const numbers = () => new Uint16Array(classes);
    [this.ofSlice, this.ofRow, this.kept] = [numbers(), numbers(), numbers()];
    this.most = new Float64Array(classes);
    const values = () => new Float64Array(mostCorners * classes);
    [this.lower, this.upper, this.mixed, this.row] = [values(), values(), values(), values()];
    [this.low, this.high] = [new Float32Array(classes), new Float32Array(classes)];
  }

  /** Writes output slices that lie between two slices of scores. */
  write(below: ScoreSlice, above: ScoreSlice, slices: readonly SliceBetween[]): void {
    for (const rows of this.rows) {
      if (this.choice === 'exclusive') this.writeExclusive(below, above, slices, rows);
      else this.writeOverlapping(below, above, slices, rows);
    }
  }

  private writeExclusive(below: ScoreSlice, above: ScoreSlice, slices: readonly SliceBetween[], rows: TapRun): void {
    // Blocks of one label that follow each other are filled at once.
    let label = -1;
    const filled = { from: 0, to: 0 };
    for (const columns of this.columns) {
      const count = this.findCorners(rows, columns);
      const own = this.sameBest(below.best, above.best, count);
      if (own !== label) {
        if (label >= 0) this.fill(slices, 0, rows, filled, label);
        [label, filled.from] = [own, columns.from];
      }
      filled.to = columns.to;
      if (own >= 0) continue;
      const found = this.exclusiveCandidates(below, above, count);
      this.gather(below.scores, above.scores, count, found);
      for (const { share, maps } of slices) this.chooseBest(share, rows, columns, found, maps[0]!);
    }
    if (label >= 0) this.fill(slices, 0, rows, filled, label);
  }

  private writeOverlapping(below: ScoreSlice, above: ScoreSlice, slices: readonly SliceBetween[], rows: TapRun): void {
    const { candidates, classes, low, high } = this;
    for (const columns of this.columns) {
      const count = this.findCorners(rows, columns);
      this.bounds(below.scores, above.scores, count);
      let found = 0;
      for (let k = 0; k < classes; k++) {
        if (low[k]! <= 0 && high[k]! > 0) candidates[found++] = k;
        else this.fill(slices, k, rows, columns, low[k]! > 0 ? 1 : 0);
      }
      if (found === 0) continue;
      this.gather(below.scores, above.scores, count, found);
      for (const { share, maps } of slices) this.chooseAll(share, rows, columns, found, maps);
    }
  }

  /** Sets a block of one of the maps of each slice. */
  private fill(slices: readonly SliceBetween[], map: number, rows: Span, { from, to }: Span, value: number): void {
    for (const { maps } of slices)
      for (let y = rows.from; y < rows.to; y++) maps[map]!.fill(value, y * this.width + from, y * this.width + to);
  }

  /** @returns how many */
  private findCorners(rows: TapRun, columns: TapRun): number {
    let count = 0;
    for (let y = 0; y < rows.count; y++)
      for (let x = 0; x < columns.count; x++)
        this.corners[count++] = (rows.first + y) * this.from[1] + columns.first + x;
    return count;
  }

  /** The class that is the best everywhere; −1: there is none. */
  private sameBest(below: Uint16Array, above: Uint16Array, count: number): number {
    const { corners } = this;
    const label = below[corners[0]!]!;
    for (let c = 0; c < count; c++) if (below[corners[c]!] !== label || above[corners[c]!] !== label) return -1;
    return label;
  }

  private bounds(below: Float32Array, above: Float32Array, count: number): void {
    const { corners, low, high, classes } = this;
    low.fill(Number.POSITIVE_INFINITY);
    high.fill(Number.NEGATIVE_INFINITY);
    for (let c = 0; c < count; c++) {
      const at = corners[c]! * classes;
      for (let k = 0; k < classes; k++) {
        const one = below[at + k]!;
        const other = above[at + k]!;
        if (one < low[k]!) low[k] = one;
        if (other < low[k]!) low[k] = other;
        if (one > high[k]!) high[k] = one;
        if (other > high[k]!) high[k] = other;
      }
    }
  }

  /**
   * Classes that may be the best somewhere in the block, in their order: those with a score that reaches what one of the classes that are
   * the best of a corner has at all corners.
   * @returns how many
   */
  private exclusiveCandidates(below: ScoreSlice, above: ScoreSlice, count: number): number {
    const { corners, candidates, chosen, classes } = this;
    let sure = Number.NEGATIVE_INFINITY;
    let before = -1;
    for (let c = 0; c < 2 * count; c++) {
      const label = (c < count ? below.best[corners[c]!] : above.best[corners[c - count]!])!;
      if (label === before) continue;
      before = label;
      const least = this.least(below.scores, above.scores, count, label);
      if (least > sure) sure = least;
    }
    const needed = sure - tolerance * Math.abs(sure);
    for (let c = 0; c < count; c++) {
      this.markReaching(below.scores, corners[c]! * classes, needed);
      this.markReaching(above.scores, corners[c]! * classes, needed);
    }
    let found = 0;
    for (let k = 0; k < classes; k++)
      if (chosen[k] === 1) {
        chosen[k] = 0;
        candidates[found++] = k;
      }
    return found;
  }

  /** The lowest score of a class in the block. */
  private least(below: Float32Array, above: Float32Array, count: number, label: number): number {
    const { corners, classes } = this;
    let least = Number.POSITIVE_INFINITY;
    for (let c = 0; c < count; c++) {
      const at = corners[c]! * classes + label;
      const one = below[at]!;
      const other = above[at]!;
      if (one < least) least = one;
      if (other < least) least = other;
    }
    return least;
  }

  private markReaching(scores: Float32Array, at: number, needed: number): void {
    const { chosen, classes } = this;
    for (let k = 0; k < classes; k++) if (scores[at + k]! >= needed) chosen[k] = 1;
  }

  private gather(below: Float32Array, above: Float32Array, count: number, found: number): void {
    const { corners, candidates, lower, upper, classes } = this;
    for (let c = 0, to = 0; c < count; c++) {
      const at = corners[c]! * classes;
      for (let n = 0; n < found; n++, to++) {
        lower[to] = below[at + candidates[n]!]!;
        upper[to] = above[at + candidates[n]!]!;
      }
    }
  }

  private chooseBest(share: number, rows: TapRun, columns: TapRun, found: number, map: Uint8Array | Uint16Array): void {
    const { row, mixed, candidates, ofSlice, ofRow } = this;
    const { count, weights } = columns;
    const corners = rows.count * count;
    this.mixSlices(share, corners * found);
    const left = this.prune(mixed, corners, found, candidates, ofSlice);
    for (let y = rows.from; y < rows.to; y++) {
      this.mixRows(rows, y - rows.from, count * left);
      const few = this.prune(row, count, left, ofSlice, ofRow);
      const at = y * this.width;
      if (few === 1) {
        map.fill(ofRow[0]!, at + columns.from, at + columns.to);
        continue;
      }
      for (let x = columns.from, w = 0; x < columns.to; x++, w += count) {
        let best = 0;
        let most = Number.NEGATIVE_INFINITY;
        for (let n = 0; n < few; n++) {
          let sum = weights[w]! * row[n]!;
          if (count > 1) sum += weights[w + 1]! * row[few + n]!;
          if (sum > most) {
            most = sum;
            best = n;
          }
        }
        map[at + x] = ofRow[best]!;
      }
    }
  }

  /**
   * Leaves out candidates that cannot be the best any more, now that fewer scores are left to interpolate between.
   * @param values [corners, candidates]; afterwards of those that are left
   * @param names the candidates; those that are left come into `left`
   * @returns how many
   */
  private prune(values: Float64Array, corners: number, found: number, names: Uint16Array, left: Uint16Array): number {
    const { most, kept } = this;
    let sure = Number.NEGATIVE_INFINITY;
    for (let n = 0; n < found; n++) {
      let low = values[n]!;
      let high = low;
      for (let c = 1, at = found + n; c < corners; c++, at += found) {
        const value = values[at]!;
        if (value < low) low = value;
        if (value > high) high = value;
      }
      if (low > sure) sure = low;
      most[n] = high;
    }
    const needed = sure - tolerance * Math.abs(sure);
    let count = 0;
    for (let n = 0; n < found; n++)
      if (most[n]! >= needed) {
        left[count] = names[n]!;
        kept[count++] = n;
      }
    if (count === found) return count;
    for (let c = 0, to = 0; c < corners; c++)
      for (let n = 0; n < count; n++) values[to++] = values[c * found + kept[n]!]!;
    return count;
  }

  private chooseAll(
    share: number,
    rows: TapRun,
    columns: TapRun,
    found: number,
    maps: readonly (Uint8Array | Uint16Array)[],
  ): void {
    const { row, candidates } = this;
    this.mixSlices(share, rows.count * columns.count * found);
    for (let y = rows.from; y < rows.to; y++) {
      this.mixRows(rows, y - rows.from, columns.count * found);
      for (let x = columns.from; x < columns.to; x++) {
        const weights = (x - columns.from) * columns.count;
        for (let n = 0; n < found; n++) {
          let sum = 0;
          for (let c = 0; c < columns.count; c++) sum += columns.weights[weights + c]! * row[c * found + n]!;
          maps[candidates[n]!]![y * this.width + x] = sum > 0 ? 1 : 0;
        }
      }
    }
  }

  private mixSlices(share: number, values: number): void {
    const { lower, upper, mixed } = this;
    for (let i = 0; i < values; i++) mixed[i] = (1 - share) * lower[i]! + share * upper[i]!;
  }

  /** Mixes the rows of a block for its output row `y`. */
  private mixRows(rows: TapRun, y: number, values: number): void {
    const { mixed, row } = this;
    const weights = y * rows.count;
    const first = rows.weights[weights]!;
    const second = rows.weights[weights + 1]!;
    if (rows.count === 1) for (let i = 0; i < values; i++) row[i] = mixed[i]!;
    else for (let i = 0; i < values; i++) row[i] = first * mixed[i]! + second * mixed[values + i]!;
  }
}
