import type { ValueRange } from '../protocol/viewer/planes.ts';
import type { CutPlane } from './cutPlane.ts';

/** Below fat (HU), and above what scanners write outside of the picture: other modalities and normalised images have no values between. */
const [belowFat, lowestHu] = [-150, -4096];

/** Between which values a plane is shown at first: the percentiles 0.5 and 99.5 of its finite values; and whether they look like HU. */
export function valueRange(plane: CutPlane): ValueRange {
  const values = Float32Array.from(plane.numbers, (n) => n * plane.slope + plane.intercept)
    .filter(Number.isFinite)
    .sort();
  const at = (share: number) => values[Math.round(share * (values.length - 1))] ?? 0;
  const [low, high] = [at(0.005), at(0.995)];
  const ct = low < belowFat && at(0) >= lowestHu && high > belowFat;
  return { low, high: high > low ? high : low + 1, ct };
}
