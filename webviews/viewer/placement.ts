import {
  directionLetters,
  type ImageGeometry,
  type Place,
  type PlaneName,
  planeAxes,
} from '../../protocol/viewer/geometry.ts';
import type { ViewerState, Zoom } from './state.ts';

/** Where a plane's pixels are drawn in its pane: canvas = origin + step · pixel, in canvas pixels. */
export interface Placement {
  readonly originX: number;
  readonly originY: number;
  /** Negative where the plane is shown mirrored. */
  readonly stepX: number;
  readonly stepY: number;
}

/** Whether a plane is mirrored: in the neurological convention the patient's left is on the left. */
export function isMirrored(geometry: ImageGeometry, plane: PlaneName, { convention }: ViewerState): boolean {
  return convention === 'neurological' && plane !== 'sagittal' && geometry.toMillimeters !== null;
}

/** Fits a plane into a pane of so many canvas pixels, with pixels as wide and high as they are in millimetres. */
export function placePlane(
  geometry: ImageGeometry,
  plane: PlaneName,
  pane: { readonly width: number; readonly height: number },
  zoom: Zoom,
  mirrored: boolean,
): Placement {
  const { across, down } = planeAxes[plane];
  const width = geometry.shape[across] * geometry.spacing[across];
  const height = geometry.shape[down] * geometry.spacing[down];
  const perMillimeter = Math.min(pane.width / width, pane.height / height) * zoom.scale;
  const [shownWidth, shownHeight] = [width * perMillimeter, height * perMillimeter];
  const left = pane.width / 2 - shownWidth / 2 - zoom.x * shownWidth;
  const top = pane.height / 2 - shownHeight / 2 - zoom.y * shownHeight;
  const step = perMillimeter * geometry.spacing[across];
  return {
    originX: mirrored ? left + shownWidth : left,
    originY: top,
    stepX: mirrored ? -step : step,
    stepY: perMillimeter * geometry.spacing[down],
  };
}

/** The place under a point of the pane (canvas pixels), in parts of voxels; not clamped. */
export function placeAt(placement: Placement, plane: PlaneName, place: Place, x: number, y: number): number[] {
  const { across, down } = planeAxes[plane];
  const found: number[] = [...place];
  found[across] = (x - placement.originX) / placement.stepX - 0.5;
  found[down] = (y - placement.originY) / placement.stepY - 0.5;
  return found;
}

/** The letters at the edges of a plane: where its left, right, top and bottom lie in the body. */
export function edgeLetters(geometry: ImageGeometry, plane: PlaneName, mirrored: boolean) {
  const { across, down } = planeAxes[plane];
  return {
    left: directionLetters(geometry, across, mirrored ? 1 : -1),
    right: directionLetters(geometry, across, mirrored ? -1 : 1),
    top: directionLetters(geometry, down, -1),
    bottom: directionLetters(geometry, down, 1),
  };
}
