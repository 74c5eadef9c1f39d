/** A distribution of values, as the value below which a share (0–1) of them lies. */
export type Quantiles = (share: number) => number;

const bins = 16_384;

/**
 * Maps some values, keeping their order, so that they have a given distribution. What was equal stays equal, so the values should
 * have noise in them.
 * @param where 1 for the values to map, in the order of `values`
 */
export function matchDistribution(values: Float32Array, where: Uint8Array, wanted: Quantiles): void {
  let [low, high, count] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (let i = 0; i < values.length; i++) {
    if (where[i] !== 1) continue;
    low = Math.min(low, values[i]!);
    high = Math.max(high, values[i]!);
    count++;
  }
  if (count === 0 || low === high) return;
  const place = (value: number) => Math.min(bins - 1e-6, ((value - low) / (high - low)) * bins);
  const numbers = new Uint32Array(bins);
  for (let i = 0; i < values.length; i++) if (where[i] === 1) numbers[Math.floor(place(values[i]!))]!++;
  const below = new Float64Array(bins + 1);
  for (let b = 0; b < bins; b++) below[b + 1] = below[b]! + numbers[b]! / count;
  for (let i = 0; i < values.length; i++) {
    if (where[i] !== 1) continue;
    const at = place(values[i]!);
    const bin = Math.floor(at);
    values[i] = wanted(below[bin]! + (at - bin) * (below[bin + 1]! - below[bin]!));
  }
}

/** The distribution of given values. `sorted` is ascending and not empty. */
export function quantilesOf(sorted: ArrayLike<number>): Quantiles {
  return (share) => {
    const at = Math.min(1, Math.max(0, share)) * (sorted.length - 1);
    const index = Math.floor(at);
    const value = sorted[index]!;
    return value + (at - index) * (sorted[Math.min(index + 1, sorted.length - 1)]! - value);
  };
}

/** Densities of a lung, HU: normal around air-filled tissue and around dense tissue, and between them even (edges of shapes). */
export interface LungDensities {
  readonly airy: number;
  readonly solid: number;
  /** Share of the solid part and half of that between. */
  readonly dense: number;
}

const airySpread = 40;
const solidSpread = 30;
/** Share of the dense values that lie between airy and solid. */
const edges = 0.4;

/** The distribution of a lung's densities, whatever lies in it. */
export function lungQuantiles({ airy, solid, dense }: LungDensities): Quantiles {
  const between = edges * dense;
  const shares = { airy: 1 - dense - between / 2, between, solid: dense - between / 2 };
  const [first, last] = [airy - 5 * airySpread, solid + 5 * solidSpread];
  const normal = (value: number, mean: number, spread: number) =>
    Math.exp(-0.5 * ((value - mean) / spread) ** 2) / spread / Math.sqrt(2 * Math.PI);
  const [from, to] = [airy + airySpread, solid - solidSpread];
  const density = (value: number) =>
    shares.airy * normal(value, airy, airySpread) +
    (value > from && value < to ? shares.between / (to - from) : 0) +
    shares.solid * normal(value, solid, solidSpread);
  // One HU a step is finer than the spreads.
  const below = new Float64Array(Math.ceil(last - first) + 1);
  for (let i = 1; i < below.length; i++) below[i] = below[i - 1]! + density(first + i - 0.5);
  const total = below.at(-1)!;
  const table = new Float64Array(4097);
  for (let i = 0, at = 0; i < table.length; i++) {
    const wanted = (i / (table.length - 1)) * total;
    while (at < below.length - 2 && below[at + 1]! < wanted) at++;
    const width = below[at + 1]! - below[at]!;
    table[i] = first + at + (width > 0 ? (wanted - below[at]!) / width : 0);
  }
  return quantilesOf(table);
}
