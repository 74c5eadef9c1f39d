import { mean, percentile } from './percentile.ts';

/** How distances become numbers. The tools differ in each. */
export interface SurfaceRule {
  /** Face-connected surface voxels, each counting the same; or surface elements with their areas. */
  readonly points: 'voxels' | 'surfels';
  /** The percentile of all distances together, or the larger of the two directed percentiles. */
  readonly hausdorff: 'pooled' | 'larger';
  /** The mean of the two directed means, or of all distances together. */
  readonly average: 'directed' | 'pooled';
}

/** Distances from one surface to the other, with the weights of the points. */
export interface Directed {
  readonly distances: Float64Array;
  readonly weights?: Float64Array | undefined;
}

export interface SurfaceMeasures {
  /** mm */
  readonly hd95: number;
  readonly hd: number;
  readonly assd: number;
  /** 0 … 1 */
  readonly surfaceDice: number;
}

/** Both directions, neither empty. `tolerance` in mm. */
export function surfaceMeasures(
  directions: readonly [Directed, Directed],
  rule: SurfaceRule,
  tolerance: number,
): SurfaceMeasures {
  const [a, b] = directions;
  const pooled = () => {
    const all = new Float64Array(a.distances.length + b.distances.length);
    all.set(a.distances);
    all.set(b.distances, a.distances.length);
    return all;
  };
  const largest = (values: Float64Array) => values.reduce((most, value) => (value > most ? value : most), 0);
  const hd95 =
    rule.hausdorff === 'pooled'
      ? percentile(pooled().sort(), 95)
      : Math.max(...directions.map((one) => directedPercentile(one, 95)));
  const assd = rule.average === 'pooled' ? mean(pooled()) : (weightedMean(a) + weightedMean(b)) / 2;
  const [near, all] = [a, b].map((one) => within(one, tolerance)).reduce(([n, t], [m, u]) => [n + m, t + u]);
  return { hd95, hd: Math.max(largest(a.distances), largest(b.distances)), assd, surfaceDice: near / all };
}

function directedPercentile({ distances, weights }: Directed, percent: number): number {
  if (!weights) return percentile(distances.toSorted(), percent);
  // As surface-distance: the first distance at which the summed areas reach the share.
  const order = Uint32Array.from(distances.keys()).sort(
    (i, j) => distances[i]! - distances[j]! || weights[i]! - weights[j]!,
  );
  const total = order.reduce((sum, i) => sum + weights[i]!, 0);
  let sum = 0;
  for (const i of order) {
    sum += weights[i]!;
    if (sum / total >= percent / 100) return distances[i]!;
  }
  return distances[order.at(-1)!]!;
}

function weightedMean({ distances, weights }: Directed): number {
  if (!weights) return mean(distances);
  let [sum, total] = [0, 0];
  for (let i = 0; i < distances.length; i++) {
    sum += distances[i]! * weights[i]!;
    total += weights[i]!;
  }
  return sum / total;
}

/** Weight of the points within the tolerance, and of all. */
function within({ distances, weights }: Directed, tolerance: number): [near: number, all: number] {
  let [near, all] = [0, 0];
  for (let i = 0; i < distances.length; i++) {
    const weight = weights ? weights[i]! : 1;
    all += weight;
    if (distances[i]! <= tolerance) near += weight;
  }
  return [near, all];
}
