import type { ImageGeometry } from '../../protocol/viewer/geometry.ts';
import type { LoadedPlane } from '../../protocol/viewer/readPiece.ts';
import { element } from '../shared/dom.ts';
import { type Measurement, measured, pointsOf, type Tool, tools } from './measure.ts';
import type { ViewerState } from './state.ts';

const words: Readonly<Record<Tool, string>> = { distance: 'Distance', angle: 'Angle', region: 'Region' };
const hints: Readonly<Record<Tool, string>> = {
  distance: 'Click its two ends, or move the crosshair there and press Enter.',
  angle: 'Click one end, the vertex, and the other end (or Enter at the crosshair).',
  region: 'Click the centre and the edge of a circle (or Enter at the crosshair).',
};

/** Tools, and what has been measured. */
export class MeasurePanel {
  readonly root: HTMLElement;
  private readonly buttons = new Map<Tool, HTMLButtonElement>();
  private readonly hint = element('p', { className: 'note', attributes: { 'aria-live': 'polite' } });
  private readonly list = element('ul', { className: 'measurements', attributes: { 'aria-label': 'Measurements' } });
  private shown: readonly Measurement[] = [];
  private texts = '';

  constructor(
    private readonly change: (part: Partial<ViewerState>) => void,
    private readonly goTo: (measurement: Measurement) => void,
  ) {
    for (const tool of tools) {
      const button = element('button', { type: 'button' }, words[tool]);
      button.addEventListener('click', () =>
        change({ tool: button.getAttribute('aria-pressed') === 'true' ? undefined : tool }),
      );
      this.buttons.set(tool, button);
    }
    this.root = element(
      'section',
      { attributes: { 'aria-label': 'Measure' } },
      element('div', { className: 'side-head' }, element('h2', {}, 'Measure'), ...this.buttons.values()),
      this.hint,
      this.list,
    );
  }

  show(geometry: ImageGeometry, state: ViewerState, planes: readonly (LoadedPlane | undefined)[], unit: string): void {
    for (const [tool, button] of this.buttons) button.setAttribute('aria-pressed', String(state.tool === tool));
    this.hint.textContent = state.tool ? hints[state.tool] : '';
    const finished = state.measurements.filter(({ tool, points }) => points.length === pointsOf[tool]);
    const texts = finished.map((one) =>
      measured(
        geometry,
        one,
        planes.find((plane) => plane?.plane === one.plane),
        unit,
      ),
    );
    if (this.texts === texts.join('\n') && this.shown.length === finished.length) return;
    [this.shown, this.texts] = [finished, texts.join('\n')];
    this.list.replaceChildren(
      ...finished.map((one, i) => {
        const go = element('button', { type: 'button', className: 'plain' }, texts[i] ?? '');
        go.addEventListener('click', () => this.goTo(one));
        const remove = element('button', { type: 'button' }, 'Remove');
        remove.setAttribute('aria-label', `Remove ${texts[i] ?? ''}`);
        remove.addEventListener('click', () =>
          this.change({ measurements: state.measurements.filter((other) => other !== one) }),
        );
        return element('li', {}, go, remove);
      }),
    );
  }
}

/** The measurements with another point. */
export function withPoint(
  { tool, measurements }: ViewerState,
  at: Omit<Measurement, 'tool' | 'points'> & { readonly point: Measurement['points'][number] },
): readonly Measurement[] {
  if (!tool) return measurements;
  const { plane, index, point } = at;
  const last = measurements.at(-1);
  const open = last && last.points.length < pointsOf[last.tool];
  const goesOn = open && last.tool === tool && last.plane === plane && last.index === index;
  if (goesOn) return [...measurements.slice(0, -1), { ...last, points: [...last.points, point] }];
  return [...(open ? measurements.slice(0, -1) : measurements), { tool, plane, index, points: [point] }];
}
