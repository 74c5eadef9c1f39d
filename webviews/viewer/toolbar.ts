import { type ColorMapName, colorMapNames } from '../../protocol/viewer/displayNames.ts';
import type { ViewerOptions } from '../../protocol/viewer/settings.ts';
import { element } from '../shared/dom.ts';
import { ctWindows, type ViewerState, windowAt } from './state.ts';

/** What the toolbar changes. */
export interface ToolbarActions {
  change(part: Partial<ViewerState>): void;
  convention(convention: ViewerOptions['convention']): void;
  /** @param volume from 0 */
  volume(volume: number): void;
  reset(): void;
  screenshot(): void;
  volume3D(): void;
  help(): void;
  header(): void;
}

/** Settings of the view. */
export class Toolbar {
  readonly root: HTMLElement;
  private readonly windows = element('select', { id: 'um-window' });
  private readonly level = element('span', { className: 'window-values' });
  private readonly layout = element('select', { id: 'um-layout' });
  private readonly layoutField = field('Planes', this.layout);
  private readonly smooth = element('input', { type: 'checkbox', id: 'um-smooth' });
  private readonly crosshair = element('input', { type: 'checkbox', id: 'um-crosshair' });
  private readonly linked = element('input', { type: 'checkbox', id: 'um-linked' });
  private readonly volume = element('input', { type: 'number', id: 'um-volume', min: '1' });
  private readonly volumes = element('span');
  private readonly volumeField = field('Volume', this.volume, this.volumes);
  private readonly convention = element('select', { id: 'um-convention' });
  private readonly conventionField = field('View', this.convention);
  private readonly colors = element('select', { id: 'um-colors' });
  private readonly volume3D: HTMLElement;
  private presets: Readonly<Record<string, readonly [number, number]>> = ctWindows;
  private offered = '';

  constructor({ change, convention, volume, reset, screenshot, volume3D, help, header }: ToolbarActions) {
    this.volume3D = button('3D', 'The image in 3D, in a panel beside it, where the window has WebGL 2', volume3D);
    this.windows.addEventListener('change', () => {
      const preset = this.presets[this.windows.value];
      change({ window: preset && windowAt(preset[0], preset[1]) });
    });
    fill(this.layout, { all: 'Three planes', axial: 'Axial', coronal: 'Coronal', sagittal: 'Sagittal' });
    this.layout.addEventListener('change', () => {
      const { value } = this.layout;
      change({ alone: value === 'axial' || value === 'coronal' || value === 'sagittal' ? value : undefined });
    });
    fill(this.convention, { radiological: 'Radiological', neurological: 'Neurological' });
    this.convention.addEventListener('change', () =>
      convention(this.convention.value === 'neurological' ? 'neurological' : 'radiological'),
    );
    fill(this.colors, Object.fromEntries(colorMapNames.map((name) => [name, capital(name)])));
    this.colors.addEventListener('change', () => change({ colors: this.colors.value as ColorMapName }));
    this.smooth.addEventListener('change', () => change({ smooth: this.smooth.checked }));
    this.crosshair.addEventListener('change', () => change({ crosshair: this.crosshair.checked }));
    this.linked.addEventListener('change', () => change({ linked: this.linked.checked }));
    const attributes = { role: 'toolbar', 'aria-label': 'Display of the image' };
    this.volumeField.hidden = true;
    this.volume.addEventListener('change', () => {
      const chosen = Math.round(this.volume.valueAsNumber);
      if (chosen >= 1 && chosen <= Number(this.volume.max)) volume(chosen - 1);
    });
    this.root = element(
      'div',
      { className: 'toolbar', attributes },
      this.volumeField,
      field('Window', this.windows),
      this.level,
      this.layoutField,
      field('Colours', this.colors),
      this.conventionField,
      tick('Interpolate', this.smooth),
      tick('Crosshair', this.crosshair),
      tick('Link images', this.linked),
      button('Reset', 'Window, zoom and place as at first (0)', reset),
      this.volume3D,
      button('Save Picture…', 'Saves the view as PNG (P)', screenshot),
      button('Header', 'What the header of the file says (H)', header),
      button('Keys', 'What mouse and keys do (?)', help),
    );
  }

  /** A picture has no third dimension: no planes to choose, no side from which they are seen, no 3D. */
  offerPlanes(possible: boolean): void {
    for (const one of [this.layoutField, this.conventionField, this.volume3D]) one.hidden = !possible;
  }

  /** Which volume of a file with several is shown, from 0. */
  offerVolumes(count: number, shown: number): void {
    this.volumeField.hidden = count < 2;
    this.volume.max = String(count);
    this.volume.value = String(shown + 1);
    this.volumes.textContent = `of ${count}`;
  }

  /** The presets for this image: those for CT only where it is one, and the user's own. */
  offer(ct: boolean, own: ViewerOptions['windows']): void {
    const presets = { ...(ct ? ctWindows : {}), ...own };
    const key = JSON.stringify(presets);
    if (key === this.offered) return;
    this.offered = key;
    this.presets = presets;
    this.windows.replaceChildren();
    fill(this.windows, { auto: 'Automatic', ...Object.fromEntries(Object.keys(presets).map((n) => [n, capital(n)])) });
    this.windows.append(element('option', { value: 'own', hidden: true }, 'Own'));
  }

  show(state: ViewerState, low: number, high: number): void {
    const { window } = state;
    const preset = Object.entries(this.presets).find(([, [level, width]]) => {
      const one = windowAt(level, width);
      return one.low === window?.low && one.high === window.high;
    });
    this.windows.value = window === undefined ? 'auto' : (preset?.[0] ?? 'own');
    const digits = high - low < 20 ? 2 : 0;
    this.level.textContent = `W ${(high - low).toFixed(digits)}  L ${((low + high) / 2).toFixed(digits)}`;
    this.layout.value = state.alone ?? 'all';
    this.convention.value = state.convention;
    this.colors.value = state.colors;
    this.smooth.checked = state.smooth;
    this.crosshair.checked = state.crosshair;
    this.linked.checked = state.linked;
  }
}

function fill(select: HTMLSelectElement, options: Readonly<Record<string, string>>): void {
  select.append(...Object.entries(options).map(([value, label]) => element('option', { value }, label)));
}

function field(label: string, control: HTMLElement, after: HTMLElement | null = null): HTMLElement {
  return element('div', { className: 'field' }, element('label', { htmlFor: control.id }, label), control, after);
}

function tick(label: string, control: HTMLInputElement): HTMLElement {
  return element('div', { className: 'field' }, control, element('label', { htmlFor: control.id }, label));
}

function button(text: string, title: string, action: () => void): HTMLElement {
  const one = element('button', { type: 'button', title }, text);
  one.addEventListener('click', action);
  return one;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
