import { type XAxis, xAxes } from './axes.ts';
import { type EventFilter, eventFilters } from './eventFilter.ts';

/** What the user has set; small and plain, so that a webview can keep it across a reload. */
export interface MetricsState {
  xAxis: XAxis;
  /** Share kept by the moving average, 0 (none) to 0.99. */
  smoothing: number;
  logScale: boolean;
  /** Ids of runs that are switched off. */
  hiddenRuns: string[];
  /** Visible range in units of the axis; null: everything, following a live run. */
  view: [from: number, to: number] | null;
  closedSections: string[];
  /** Keys of charts shown large. */
  enlarged: string[];
  /** Step of the preview on show; null follows the newest. */
  previewStep: number | null;
  /** Kinds of events on show. */
  events: EventFilter[];
  /** Warnings that the user has dismissed, by their keys (warningGroups.ts). */
  dismissed: string[];
}

export const initialState: MetricsState = {
  xAxis: 'step',
  smoothing: 0.6,
  logScale: false,
  hiddenRuns: [],
  view: null,
  closedSections: [],
  enlarged: [],
  previewStep: null,
  events: ['important'],
  dismissed: [],
};

/** Keeps the state. */
export interface StateStore {
  load(): unknown;
  save(state: MetricsState): void;
}

/** Restores a kept state field by field: a missing or impossible field gets its initial value. */
export function readState(kept: unknown): MetricsState {
  const s = (typeof kept === 'object' && kept !== null ? kept : {}) as Record<string, unknown>;
  const strings = (v: unknown) => (Array.isArray(v) ? v.filter((x): x is string => typeof x === 'string') : []);
  const finite = (v: unknown): v is number => typeof v === 'number' && Number.isFinite(v);
  const view = s.view;
  return {
    xAxis: xAxes.find((a) => a === s.xAxis) ?? initialState.xAxis,
    smoothing: finite(s.smoothing) ? Math.min(0.99, Math.max(0, s.smoothing)) : initialState.smoothing,
    logScale: s.logScale === true,
    hiddenRuns: strings(s.hiddenRuns),
    view: Array.isArray(view) && finite(view[0]) && finite(view[1]) && view[0] < view[1] ? [view[0], view[1]] : null,
    closedSections: strings(s.closedSections),
    enlarged: strings(s.enlarged),
    previewStep: finite(s.previewStep) ? s.previewStep : null,
    events: Array.isArray(s.events)
      ? eventFilters.filter((one) => strings(s.events).includes(one))
      : initialState.events,
    dismissed: strings(s.dismissed),
  };
}
