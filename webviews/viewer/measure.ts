import {
  type ImageGeometry,
  millimetersOf,
  type Place,
  type PlaneName,
  planeAxes,
} from '../../protocol/viewer/geometry.ts';
import type { LoadedPlane } from '../../protocol/viewer/readPiece.ts';

export const tools = ['distance', 'angle', 'region'] as const;
export type Tool = (typeof tools)[number];
/** Points that a tool needs: two ends; end, vertex, end; centre and edge. */
export const pointsOf: Readonly<Record<Tool, number>> = { distance: 2, angle: 3, region: 2 };

/** A measurement in one plane; its points are places, in parts of voxels. */
export interface Measurement {
  readonly tool: Tool;
  readonly plane: PlaneName;
  /** Of the plane. */
  readonly index: number;
  readonly points: readonly Place[];
}

type Vector = readonly [number, number, number];

/** A place in millimetres; of a picture in pixels. */
function positionOf(geometry: ImageGeometry, place: Place): Vector {
  return millimetersOf(geometry, place) ?? [place[2], place[1], 0];
}

function between(geometry: ImageGeometry, from: Place | undefined, to: Place | undefined): Vector {
  if (!from || !to) return [0, 0, 0];
  const [a, b] = [positionOf(geometry, from), positionOf(geometry, to)];
  return [b[0] - a[0], b[1] - a[1], b[2] - a[2]];
}

/** The distance of two places, mm. */
export function distanceOf(geometry: ImageGeometry, [from, to]: readonly Place[]): number {
  return Math.hypot(...between(geometry, from, to));
}

/** The angle at the second of three places, degrees. */
export function angleOf(geometry: ImageGeometry, [one, vertex, other]: readonly Place[]): number {
  const [a, b] = [between(geometry, vertex, one), between(geometry, vertex, other)];
  const cosine = (a[0] * b[0] + a[1] * b[1] + a[2] * b[2]) / (Math.hypot(...a) * Math.hypot(...b));
  return (Math.acos(Math.max(-1, Math.min(1, cosine))) * 180) / Math.PI;
}

/** Of the voxels whose centres lie in a circle (in mm, around the first place through the second): mean, deviation, number and area. */
export function regionOf(geometry: ImageGeometry, plane: LoadedPlane, [centre, edge]: readonly Place[]) {
  const { across, down } = planeAxes[plane.plane];
  const [dx, dy] = [geometry.spacing[across], geometry.spacing[down]];
  const [cx, cy] = [centre?.[across] ?? 0, centre?.[down] ?? 0];
  const radius = Math.hypot(((edge?.[across] ?? 0) - cx) * dx, ((edge?.[down] ?? 0) - cy) * dy);
  const values: number[] = [];
  if (plane.kind !== 'rgb')
    for (let y = 0; y < plane.height; y++)
      for (let x = 0; x < plane.width; x++) {
        if (Math.hypot((x - cx) * dx, (y - cy) * dy) > radius) continue;
        const value = (plane.numbers[y * plane.width + x] ?? Number.NaN) * plane.slope + plane.intercept;
        if (Number.isFinite(value)) values.push(value);
      }
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length - 1);
  return { mean, deviation: Math.sqrt(variance), voxels: values.length, radius, area: Math.PI * radius ** 2 };
}

/** What a finished measurement says. @param plane its plane, if it is there */
export function measured(
  geometry: ImageGeometry,
  measurement: Measurement,
  plane: LoadedPlane | undefined,
  unit: string,
): string {
  const length = geometry.toMillimeters ? 'mm' : 'pixels';
  const { tool, points } = measurement;
  if (points.length < pointsOf[tool]) return '…';
  if (tool === 'distance') return `${distanceOf(geometry, points).toFixed(1)} ${length}`;
  if (tool === 'angle') return `${angleOf(geometry, points).toFixed(1)}°`;
  if (!plane || plane.index !== measurement.index) return 'region';
  const { mean, deviation, voxels, area } = regionOf(geometry, plane, points);
  const size = `${area.toFixed(1)} ${length}²`;
  return voxels === 0 ? size : `mean ${mean.toFixed(1)} ± ${deviation.toFixed(1)}${unit}, ${size}`;
}
