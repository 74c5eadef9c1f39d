import type uPlot from 'uplot';

/** What gestures act on: the chart's range and cursor, along the axis. */
export interface GestureTarget {
  readonly plot: uPlot | undefined;
  readonly range: readonly [from: number, to: number] | undefined;
  readonly cursorX: number | null;
  zoom(range: [number, number] | null): void;
  cursor(x: number | null): void;
}

/** Zooms and moves a chart by keys and wheel; uPlot handles dragging. */
export function listenForGestures(element: HTMLElement, target: GestureTarget): void {
  element.addEventListener('keydown', (event) => onKey(event, target));
  element.addEventListener('wheel', (event) => onWheel(event, target), { passive: false });
}

/** Ctrl (or ⌘) and the wheel zoom about the pointer, as a pinch does; Shift and the wheel move. The plain wheel scrolls the page. */
function onWheel(event: WheelEvent, target: GestureTarget): void {
  const { plot } = target;
  if (!plot || !(event.ctrlKey || event.metaKey || event.shiftKey)) return;
  event.preventDefault();
  const pixels = event.deltaMode === 1 ? 16 : 1;
  const delta = (Math.abs(event.deltaY) > Math.abs(event.deltaX) ? event.deltaY : event.deltaX) * pixels;
  if (event.shiftKey) {
    move(target, delta / Math.max(1, plot.over.clientWidth));
    return;
  }
  const left = event.clientX - plot.over.getBoundingClientRect().left;
  scale(target, Math.exp(Math.max(-1, Math.min(1, delta * 0.004))), plot.posToVal(left, 'x'));
}

function onKey(event: KeyboardEvent, target: GestureTarget): void {
  if (!target.range || event.ctrlKey || event.metaKey || event.altKey) return;
  const [from, to] = target.range;
  const center = target.cursorX ?? (from + to) / 2;
  const actions: Record<string, () => void> = {
    '+': () => scale(target, 0.5, center),
    '=': () => scale(target, 0.5, center),
    '-': () => scale(target, 2, center),
    '0': () => target.zoom(null),
    Escape: () => target.zoom(null),
    ArrowLeft: () => (event.shiftKey ? move(target, -0.25) : moveCursor(target, -1)),
    ArrowRight: () => (event.shiftKey ? move(target, 0.25) : moveCursor(target, 1)),
    Home: () => target.cursor(from),
    End: () => target.cursor(to),
  };
  const action = actions[event.key];
  if (!action) return;
  event.preventDefault();
  action();
}

function moveCursor(target: GestureTarget, direction: -1 | 1): void {
  const [from, to] = target.range!;
  const before = target.cursorX ?? (direction > 0 ? from : to);
  target.cursor(Math.min(to, Math.max(from, before + (direction * (to - from)) / 100)));
}

function scale(target: GestureTarget, factor: number, about: number): void {
  const [from, to] = target.range!;
  target.zoom([about + (from - about) * factor, about + (to - about) * factor]);
}

function move(target: GestureTarget, share: number): void {
  const [from, to] = target.range!;
  target.zoom([from + (to - from) * share, to + (to - from) * share]);
}
