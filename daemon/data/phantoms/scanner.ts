import type { Random } from '../random.ts';

/**
 * A scanner for CT-like volumes, drawn with each patient and independent of the condition. Two volumes of one patient by two
 * scanners differ in every intensity.
 */
export interface Scanner {
  /** Half the width of the field of view and the share of the chest's height that the slices show, relative. */
  readonly field: number;
  readonly coverage: number;
  /** mm, [slice, x, y]: what field and coverage make of the usual 3×1×1 mm. */
  readonly spacing: readonly [number, number, number];
  /** Deviation of the point spread in plane, mm. */
  readonly blur: number;
  /** Deviation of the noise, HU (a low dose has much), and how far it is correlated, mm. */
  readonly noise: number;
  readonly grain: number;
  /** A calibration that is off: HU + 1000 is multiplied by `gain` after a power of `gamma`, then `offset` (HU) is added. */
  readonly gain: number;
  readonly offset: number;
  readonly gamma: number;
}

/** The field of view and coverage at which voxels have 3×1×1 mm. */
const usual = { field: 0.8, coverage: 0.7 } as const;

/** Draws a scanner. Its spacing stays near 3×1×1 mm, so that the loader does not resample (isFarFrom in resample.ts). */
export function drawScanner(random: Random): Scanner {
  const field = random.uniform(0.72, 0.86);
  const coverage = random.uniform(0.6, 0.8);
  const mm = field / usual.field;
  return {
    field,
    coverage,
    spacing: [(3 * coverage) / usual.coverage, mm, mm],
    blur: random.uniform(0.3, 1.2),
    noise: random.uniform(8, 40),
    grain: random.uniform(0.3, 1),
    gain: random.uniform(0.94, 1.06),
    offset: random.uniform(-40, 40),
    gamma: random.uniform(0.92, 1.08),
  };
}

/** The value that a scanner gives for a density in HU, from −1200 to 3200. Interpolated in a table: powers are slow. */
export function calibration({ gain, offset, gamma }: Scanner): (hu: number) => number {
  const [lowest, highest, step] = [-1200, 3200, 4];
  const table = Float64Array.from({ length: (highest - lowest) / step + 2 }, (_, i) => {
    const air = Math.max(0, lowest + step * i + 1000);
    return 2000 * gain * (air / 2000) ** gamma - 1000 + offset;
  });
  return (hu) => {
    const at = (Math.min(highest, Math.max(lowest, hu)) - lowest) / step;
    const index = Math.floor(at);
    const value = table[index]!;
    return value + (at - index) * (table[index + 1]! - value);
  };
}

/** Weights of a Gaussian, from its middle outwards. @param deviation in pixels */
function gaussian(deviation: number): Float64Array {
  const half = Float64Array.from({ length: Math.ceil(2.5 * deviation) + 1 }, (_, i) =>
    Math.exp(-0.5 * (i / deviation) ** 2),
  );
  const total = half.reduce((sum, tap) => sum + 2 * tap, -1);
  return half.map((tap) => tap / total);
}

/**
 * Blurs each slice with a Gaussian; borders are repeated.
 * @param values [slices, height, width], changed in place
 * @param deviation in pixels
 */
export function blurSlices(values: Float32Array, height: number, width: number, deviation: number): void {
  const taps = gaussian(deviation);
  const reach = taps.length - 1;
  const row = new Float32Array(width + 2 * reach);
  const size = height * width;
  const before = new Float32Array(size);
  for (let slice = 0; slice < values.length; slice += size) {
    for (let first = slice; first < slice + size; first += width) {
      row.fill(values[first]!, 0, reach);
      row.set(values.subarray(first, first + width), reach);
      row.fill(values[first + width - 1]!, reach + width);
      for (let i = 0; i < width; i++) {
        let sum = taps[0]! * row[i + reach]!;
        for (let t = 1; t <= reach; t++) sum += taps[t]! * (row[i + reach - t]! + row[i + reach + t]!);
        before[first - slice + i] = sum;
      }
    }
    for (let y = 0; y < height; y++) {
      const into = slice + y * width;
      for (let i = 0; i < width; i++) values[into + i] = taps[0]! * before[y * width + i]!;
      for (let t = 1; t <= reach; t++) {
        const [up, down, tap] = [Math.max(0, y - t) * width, Math.min(height - 1, y + t) * width, taps[t]!];
        for (let i = 0; i < width; i++) values[into + i]! += tap * (before[up + i]! + before[down + i]!);
      }
    }
  }
}

/** Normal noise of deviation 1 with a grain: independent values, blurred. @param deviation of the blur, pixels */
export function grainyNoise(
  random: Random,
  slices: number,
  height: number,
  width: number,
  deviation: number,
): Float32Array {
  const noise = new Float32Array(slices * height * width);
  // The blur takes the deviation down to the sum of its squared weights.
  const scale = 1 / gaussian(deviation).reduce((sum, tap, i) => sum + (i === 0 ? 1 : 2) * tap * tap, 0);
  for (let i = 0; i < noise.length; i++) noise[i] = scale * random.normal();
  blurSlices(noise, height, width, deviation);
  return noise;
}
