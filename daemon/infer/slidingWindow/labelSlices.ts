/**
 * How the scores of a voxel become labels. `exclusive`: the class with the highest score, the first of equal ones. `overlapping`:
 * every class whose score is above 0, where the sigmoid is ½.
 */
export type Choice = 'exclusive' | 'overlapping';

/** Inputs between which each output lies along an axis, and the share of the second. */
export interface Between {
  readonly low: Int32Array;
  readonly high: Int32Array;
  readonly share: Float32Array;
}

/** Where `to` outputs lie among `from` inputs that cover the same length. What lies beyond the outer centres has the border's value. */
export function between(from: number, to: number): Between {
  const [low, high, share] = [new Int32Array(to), new Int32Array(to), new Float32Array(to)];
  for (let o = 0; o < to; o++) {
    const at = Math.min(Math.max(((o + 0.5) * from) / to - 0.5, 0), from - 1);
    low[o] = Math.floor(at);
    high[o] = Math.min(from - 1, low[o]! + 1);
    share[o] = at - low[o]!;
  }
  return { low, high, share };
}

/** A slice of scores. */
export interface ScoreSlice {
  /** [H, W, classes] */
  readonly scores: Float32Array;
  /** [H, W]: the class with the highest score, the first of equal ones. */
  readonly best: Uint16Array;
}

/** Finds the best class of each voxel of a slice. */
export function rank({ scores, best }: ScoreSlice): void {
  const classes = scores.length / best.length;
  for (let p = 0, at = 0; p < best.length; p++, at += classes) best[p] = highest(scores, at, classes);
}

function highest(scores: Float32Array, at: number, classes: number): number {
  let found = 0;
  let value = scores[at]!;
  for (let k = 1; k < classes; k++)
    if (scores[at + k]! > value) {
      found = k;
      value = scores[at + k]!;
    }
  return found;
}

/**
 * Labels of output slices, from scores that are interpolated linearly along all three axes. Of exclusive classes, only voxels whose eight
 * neighbours disagree are computed: where one class is the best of all of them, it is the best of every weighted mean too.
 */
export class LabelSlices {
  private readonly rows: Between;
  private readonly columns: Between;
  private readonly mixed: Float32Array;
  /** Columns of the scores. */
  private readonly width: number;

  /**
   * @param from [H, W] of the scores
   * @param to [H, W] of the labels
   */
  constructor(
    from: readonly [number, number],
    to: readonly [number, number],
    private readonly classes: number,
    private readonly choice: Choice,
  ) {
    this.rows = between(from[0], to[0]);
    this.columns = between(from[1], to[1]);
    this.width = from[1];
    this.mixed = new Float32Array(classes);
  }

  /**
   * The labels between two slices of scores.
   * @param share that of `above`, 0 … 1
   * @param maps exclusive: one map [H, W] of class numbers; overlapping: a map [H, W] a class, 1 where it is there
   */
  write(below: ScoreSlice, above: ScoreSlice, share: number, maps: readonly (Uint8Array | Uint16Array)[]): void {
    const { rows, columns, width, choice, classes, mixed } = this;
    const [only] = maps;
    let voxel = 0;
    for (let y = 0; y < rows.low.length; y++) {
      const [top, bottom] = [rows.low[y]! * width, rows.high[y]! * width];
      for (let x = 0; x < columns.low.length; x++, voxel++) {
        const [left, right] = [columns.low[x]!, columns.high[x]!];
        const corners = [top + left, top + right, bottom + left, bottom + right] as const;
        if (choice === 'exclusive' && sameBest(below.best, above.best, corners)) {
          only![voxel] = below.best[corners[0]]!;
          continue;
        }
        this.mix(below, above, share, corners, rows.share[y]!, columns.share[x]!);
        if (choice === 'exclusive') only![voxel] = highest(mixed, 0, classes);
        else for (let k = 0; k < classes; k++) maps[k]![voxel] = mixed[k]! > 0 ? 1 : 0;
      }
    }
  }

  private mix(
    below: ScoreSlice,
    above: ScoreSlice,
    share: number,
    corners: readonly [number, number, number, number],
    down: number,
    along: number,
  ): void {
    const { classes, mixed } = this;
    const weights = [(1 - down) * (1 - along), (1 - down) * along, down * (1 - along), down * along] as const;
    mixed.fill(0);
    for (let c = 0; c < 4; c++) {
      const [low, high] = [weights[c]! * (1 - share), weights[c]! * share];
      const at = corners[c]! * classes;
      if (low > 0) for (let k = 0; k < classes; k++) mixed[k] = mixed[k]! + low * below.scores[at + k]!;
      if (high > 0) for (let k = 0; k < classes; k++) mixed[k] = mixed[k]! + high * above.scores[at + k]!;
    }
  }
}

function sameBest(below: Uint16Array, above: Uint16Array, [a, b, c, d]: readonly [number, number, number, number]) {
  const label = below[a]!;
  return (
    below[b] === label &&
    below[c] === label &&
    below[d] === label &&
    above[a] === label &&
    above[b] === label &&
    above[c] === label &&
    above[d] === label
  );
}
