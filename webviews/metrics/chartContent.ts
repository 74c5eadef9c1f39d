import type { PhaseSpan, XAxis } from './axes.ts';
import type { Curve } from './curve.ts';
import type { Theme } from './theme.ts';

/** A warning at its place along the axis. */
export interface Marker {
  x: number;
  text: string;
  severe: boolean;
  /** The colour of its run in a comparison. */
  color?: string;
}

/** All that a chart shows. */
export interface ChartContent {
  curves: Curve[];
  phases: PhaseSpan[];
  markers: Marker[];
  /** Values beyond which something is wrong, each once. */
  limits: { value: number; label: string }[];
  axis: XAxis;
  log: boolean;
  range: [from: number, to: number];
  theme: Theme;
}
