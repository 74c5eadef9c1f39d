import { colorMapNames } from '../../protocol/viewer/displayNames.ts';
import { planeNames } from '../../protocol/viewer/geometry.ts';
import type { Tool } from './measure.ts';
import { type ValueWindow, type ViewerState, windowAt } from './state.ts';

/** What keys do wherever the focus is, but in a field. */
export interface KeyActions {
  change(part: Partial<ViewerState>): void;
  toggleOverlays(): void;
  reset(): void;
  screenshot(): void;
  help(): void;
  header(): void;
  nextCase(by: 1 | -1): void;
}

/** Keys and their meaning, for the help; those of a plane are in its pane. */
export const keyHelp: readonly (readonly [keys: string, meaning: string])[] = [
  ['↑ ↓ or wheel', 'one plane on (Page Up, Page Down: ten; Home, End: the first, the last)'],
  ['Shift + arrows', 'move the crosshair in the plane'],
  ['+ −, or Ctrl + wheel', 'zoom, around the crosshair or the pointer'],
  ['Ctrl + arrows; Shift + drag, middle button', 'move the plane in its pane'],
  ['Right button, drag', 'window: right is wider, down is brighter'],
  ['[ ] and , .', 'narrower or wider window; lower or higher level'],
  ['1 2 3, 4', 'axial, coronal or sagittal plane alone; all three'],
  ['O', 'overlays on or off'],
  ['I, X, M', 'interpolation, crosshair, next colour map'],
  ['0', 'window, zoom and place as at first'],
  ['D, A, R', 'measure a distance, an angle, a region; Enter sets a point at the crosshair'],
  ['H', 'header of the file'],
  ['N, B', 'next worst case of the evaluation; the case before'],
  ['P', 'save the view as a picture'],
  ['?', 'this help'],
];

/** Acts on a key. @returns whether it means something */
export function actOnKey(key: string, state: ViewerState, shown: ValueWindow, actions: KeyActions): boolean {
  const { change } = actions;
  const [level, width] = [(shown.low + shown.high) / 2, shown.high - shown.low];
  const colors = () => colorMapNames[(colorMapNames.indexOf(state.colors) + 1) % colorMapNames.length] ?? 'grey';
  const next = (tool: Tool) => (state.tool === tool ? undefined : tool);
  const all: Record<string, () => void> = {
    '[': () => change({ window: windowAt(level, width / 1.15) }),
    ']': () => change({ window: windowAt(level, width * 1.15) }),
    ',': () => change({ window: windowAt(level - width / 20, width) }),
    '.': () => change({ window: windowAt(level + width / 20, width) }),
    '1': () => change({ alone: planeNames[0] }),
    '2': () => change({ alone: planeNames[1] }),
    '3': () => change({ alone: planeNames[2] }),
    '4': () => change({ alone: undefined }),
    o: () => actions.toggleOverlays(),
    i: () => change({ smooth: !state.smooth }),
    x: () => change({ crosshair: !state.crosshair }),
    m: () => change({ colors: colors() }),
    '0': () => actions.reset(),
    p: () => actions.screenshot(),
    h: () => actions.header(),
    n: () => actions.nextCase(1),
    b: () => actions.nextCase(-1),
    d: () => change({ tool: next('distance') }),
    a: () => change({ tool: next('angle') }),
    r: () => change({ tool: next('region') }),
    '?': () => actions.help(),
  };
  const action = all[key.length === 1 ? key.toLowerCase() : key];
  action?.();
  return action !== undefined;
}
