import '@vscode-elements/elements/dist/vscode-button/index.js';
import '@vscode-elements/elements/dist/vscode-checkbox/index.js';
import '@vscode-elements/elements/dist/vscode-option/index.js';
import '@vscode-elements/elements/dist/vscode-single-select/index.js';
import type { VscodeButton } from '@vscode-elements/elements/dist/vscode-button/index.js';
import type { VscodeCheckbox } from '@vscode-elements/elements/dist/vscode-checkbox/index.js';
import type { VscodeSingleSelect } from '@vscode-elements/elements/dist/vscode-single-select/index.js';
import { element, setText } from '../shared/dom.ts';
import { axisLabels, type XAxis, xAxes } from './axes.ts';
import type { RunLook } from './runTable.ts';
import type { MetricsState } from './state.ts';
import { Swatch } from './swatch.ts';

const hint = 'Drag: zoom. Double-click: show all.';
const help =
  'Drag or Ctrl + wheel: zoom. Shift + wheel: pan. Double-click: show all. Keys: Left and Right move the cursor (with Shift: the range), Up and Down go to the next chart, Enter enlarges, + and − zoom, 0 shows all.';

/** The settings, always visible: axis, smoothing, logarithmic values, zoom, and what the tints mean. */
export class Toolbar {
  readonly root: HTMLElement;
  private readonly axis = document.createElement('vscode-single-select') as VscodeSingleSelect;
  private readonly slider = element('input', {
    type: 'range',
    min: '0',
    max: '0.99',
    step: '0.01',
    id: 'um-smoothing',
  });
  private readonly amount = element('output', { className: 'smoothing-amount', attributes: { for: 'um-smoothing' } });
  private readonly log = document.createElement('vscode-checkbox') as VscodeCheckbox;
  private readonly legend = element(
    'div',
    { className: 'legend', attributes: { role: 'note' } },
    legendItem('phase-2d', '2D phase'),
    legendItem('phase-3d', '3D phase'),
  );
  private readonly runs = element('ul', { className: 'run-legend', attributes: { 'aria-label': 'Runs' } });
  private runsShown = '';
  private readonly reset = document.createElement('vscode-button') as VscodeButton;

  constructor(change: (part: Partial<MetricsState>) => void) {
    for (const axis of xAxes) {
      const option = document.createElement('vscode-option');
      option.setAttribute('value', axis);
      option.textContent = capital(axisLabels[axis]);
      this.axis.append(option);
    }
    this.axis.setAttribute('label', 'Horizontal axis');
    this.axis.id = 'um-axis';
    this.axis.addEventListener('change', () => change({ xAxis: this.axis.value as XAxis }));
    this.slider.addEventListener('input', () => change({ smoothing: Number(this.slider.value) }));
    this.log.label = 'Log scale';
    this.log.addEventListener('change', () => change({ logScale: this.log.checked }));
    this.reset.secondary = true;
    this.reset.textContent = 'Reset zoom';
    this.reset.addEventListener('click', () => change({ view: null }));
    this.root = element(
      'div',
      { className: 'toolbar', attributes: { role: 'toolbar', 'aria-label': 'Display of the curves' } },
      element('div', { className: 'field' }, element('label', { htmlFor: 'um-axis' }, 'Axis'), this.axis),
      element(
        'div',
        { className: 'field' },
        element('label', { htmlFor: 'um-smoothing' }, 'Smoothing'),
        this.slider,
        this.amount,
      ),
      this.log,
      this.reset,
      this.legend,
      this.runs,
      element('p', { className: 'hint', title: help, attributes: { 'aria-hidden': 'true' } }, hint),
      element('p', { id: 'um-chart-help', hidden: true }, help),
    );
  }

  /**
   * @param grouped whether the charts show phases
   * @param runs the visible runs of a comparison: the legend that stays in sight
   */
  show(state: MetricsState, grouped: boolean, runs: readonly (RunLook & { name: string })[]): void {
    this.legend.hidden = !grouped;
    this.runs.hidden = runs.length === 0;
    const key = JSON.stringify(runs);
    if (key !== this.runsShown) {
      this.runsShown = key;
      this.runs.replaceChildren(
        ...runs.map(({ name, color, dash }) =>
          element('li', {}, new Swatch(color, dash).root, element('span', {}, name)),
        ),
      );
    }
    if (this.axis.value !== state.xAxis) this.axis.value = state.xAxis;
    if (Number(this.slider.value) !== state.smoothing) this.slider.value = String(state.smoothing);
    setText(this.amount, state.smoothing === 0 ? 'off' : state.smoothing.toFixed(2));
    this.slider.setAttribute('aria-valuetext', this.amount.textContent ?? '');
    this.log.checked = state.logScale;
    this.reset.disabled = state.view === null;
  }
}

function legendItem(kind: string, text: string): HTMLElement {
  return element('span', { className: 'legend-item' }, element('span', { className: `legend-tint ${kind}` }), text);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
