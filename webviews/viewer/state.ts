import type { ColorMapName } from '../../protocol/viewer/displayNames.ts';
import type { ImageGeometry, Place, PlaneName } from '../../protocol/viewer/geometry.ts';
import type { LayerLook } from '../../protocol/viewer/layers.ts';
import type { ValueRange } from '../../protocol/viewer/planes.ts';
import type { ViewerOptions } from '../../protocol/viewer/settings.ts';
import type { Measurement, Tool } from './measure.ts';

/** Values between which grey goes from black to white. */
export type ValueWindow = Pick<ValueRange, 'low' | 'high'>;

/** How one plane lies in its pane. */
export interface Zoom {
  /** 1: the whole plane is in sight. */
  readonly scale: number;
  /** Where the pane's centre lies, as shares of the plane's width and height from its own centre. */
  readonly x: number;
  readonly y: number;
}
export const wholePlane: Zoom = { scale: 1, x: 0, y: 0 };

/** What the page shows. */
export interface ViewerState {
  /** Where the crosshair is. */
  readonly place: Place;
  /** undefined: as the image's values ask for. */
  readonly window: ValueWindow | undefined;
  /** The plane that is shown alone; undefined: all three. */
  readonly alone: PlaneName | undefined;
  readonly zoom: Readonly<Record<PlaneName, Zoom>>;
  readonly smooth: boolean;
  readonly crosshair: boolean;
  /** As if from the feet (the patient's right is on the left), or from the head. */
  readonly convention: ViewerOptions['convention'];
  readonly colors: ColorMapName;
  /** By layer. */
  readonly looks: Readonly<Record<number, LayerLook>>;
  /** Other images follow the crosshair, and this one theirs. */
  readonly linked: boolean;
  readonly tool: Tool | undefined;
  /** The last one may lack points. */
  readonly measurements: readonly Measurement[];
  /** Layers whose agreement is drawn instead of their labels. */
  readonly compare: { readonly reference: number; readonly prediction: number } | undefined;
}

export const firstState: ViewerState = {
  place: [0, 0, 0],
  window: undefined,
  alone: undefined,
  zoom: { axial: wholePlane, coronal: wholePlane, sagittal: wholePlane },
  smooth: true,
  crosshair: true,
  convention: 'radiological',
  colors: 'grey',
  looks: {},
  compare: undefined,
  linked: true,
  tool: undefined,
  measurements: [],
};

export function middleOf({ shape }: ImageGeometry): Place {
  return [Math.floor(shape[0] / 2), Math.floor(shape[1] / 2), Math.floor(shape[2] / 2)];
}

/** The place inside the image that is nearest. */
export function inside({ shape }: ImageGeometry, place: readonly number[]): Place {
  const clamped = (axis: 0 | 1 | 2) => Math.max(0, Math.min(shape[axis] - 1, Math.round(place[axis] ?? 0)));
  return [clamped(0), clamped(1), clamped(2)];
}

/** A place with one of its parts changed. */
export function withPart(place: Place, axis: 0 | 1 | 2, value: number): number[] {
  return place.map((part, a) => (a === axis ? value : part));
}

/** Soft tissue (HU) for CT, the image's own range for others. */
export function firstWindow({ ct, low, high }: ValueRange): ValueWindow {
  return ct ? windowAt(40, 400) : { low, high };
}

export function windowAt(level: number, width: number): ValueWindow {
  return { low: level - width / 2, high: level + width / 2 };
}

/** Windows for CT (HU), as [level, width]. */
export const ctWindows = {
  lung: [-600, 1500],
  bone: [400, 1800],
  'soft tissue': [40, 400],
  brain: [40, 80],
} as const;

/** The window that a drag gives: to the right wider, upwards darker, as on reading stations; a pane's width doubles it. */
export function draggedWindow({ low, high }: ValueWindow, right: number, down: number): ValueWindow {
  const width = (high - low) * 2 ** (2 * right);
  const level = (low + high) / 2 + down * (high - low);
  return windowAt(level, Math.max(width, 1e-6));
}
