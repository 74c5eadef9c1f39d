/** Scores along an axis whose weighted mean is the score of an output. */
export interface Taps {
  readonly first: number;
  /** One to three; their sum is 1. */
  readonly weights: readonly number[];
}

/** Outputs that follow each other and have taps at the same places. */
export interface TapRun {
  readonly first: number;
  readonly count: number;
  /** The outputs [from, to). */
  readonly from: number;
  readonly to: number;
  /** [to − from, count] */
  readonly weights: Float64Array;
}

/**
 * Where `to` outputs lie among `from` voxels that cover the same length, linearly interpolated. What lies beyond the outer centres has the
 * border's value.
 * @param stride voxels that a score stands for along this axis, 1 or 2. With 2, the scores of the voxels are interpolated linearly
 *   from those first, half way between two centres; both interpolations together are a mean of up to three scores
 * @param scores number of scores: `from` of them with a stride of 1, half of it (rounded up) with 2
 */
export function scoreTaps(from: number, to: number, stride: 1 | 2, scores = Math.ceil(from / stride)): Taps[] {
  return Array.from({ length: to }, (_, o) => {
    const at = within(((o + 0.5) * from) / to - 0.5, from);
    const low = Math.floor(at);
    const share = at - low;
    const weights = new Map<number, number>();
    const add = (score: number, weight: number) => weight > 0 && weights.set(score, (weights.get(score) ?? 0) + weight);
    for (const [voxel, weight] of [[low, 1 - share] as const, [Math.min(from - 1, low + 1), share] as const]) {
      const place = within((voxel + 0.5) / stride - 0.5, scores);
      const below = Math.floor(place);
      add(below, weight * (1 - (place - below)));
      add(Math.min(scores - 1, below + 1), weight * (place - below));
    }
    const places = [...weights.keys()].sort((a, b) => a - b);
    return { first: places[0] ?? 0, weights: places.map((place) => weights.get(place) ?? 0) };
  });
}

/** Groups outputs by the places of their taps. */
export function tapRuns(taps: readonly Taps[]): TapRun[] {
  const runs: TapRun[] = [];
  for (let from = 0; from < taps.length; ) {
    const { first, weights } = taps[from]!;
    let to = from + 1;
    while (to < taps.length && taps[to]!.first === first && taps[to]!.weights.length === weights.length) to++;
    const all = taps.slice(from, to).flatMap((one) => one.weights);
    runs.push({ first, count: weights.length, from, to, weights: Float64Array.from(all) });
    from = to;
  }
  return runs;
}

function within(place: number, length: number): number {
  return Math.min(Math.max(place, 0), length - 1);
}
