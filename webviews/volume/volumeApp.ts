import { Niivue, NVImage, SHOW_RENDER } from '@niivue/niivue';
import type { DrawnLabel, VolumeLabelsMessage, VolumeMessage } from '../../protocol/viewer/volume.ts';
import { element, setText } from '../shared/dom.ts';
import { labelColor } from '../viewer/labelColors.ts';

/** By which the view turns with a key, degrees. */
const turn = 10;

/** The page: one volume in 3D, with its labels. The planes of the viewer need none of this. */
export class VolumeApp {
  private readonly canvas = element('canvas', { tabIndex: 0 });
  private readonly notice = element('p', { className: 'notice', attributes: { role: 'alert' }, hidden: true });
  private readonly least = slider('um-least', 'Show values from');
  private readonly opacity = slider('um-opacity', 'Labels');
  private readonly tools = element(
    'div',
    { className: 'tools', attributes: { role: 'toolbar', 'aria-label': '3D view' } },
    this.least.root,
    this.opacity.root,
    element('span', { className: 'hint' }, 'Arrow keys or the mouse turn it, the wheel zooms. Research use only.'),
  );
  private readonly heading = element('h1', { className: 'unseen' });
  private showLabels: ((list: readonly DrawnLabel[]) => void) | undefined;
  private azimuth = 110;
  private elevation = 15;

  constructor(root: HTMLElement) {
    this.canvas.setAttribute('role', 'img');
    // In landmarks, as screen readers want everything to be.
    root.append(element('header', {}, this.heading, this.tools), this.notice, element('main', {}, this.canvas));
  }

  async receive(message: VolumeMessage | VolumeLabelsMessage): Promise<void> {
    if (message.type === 'volume') await this.show(message);
    else this.showLabels?.(message.list);
  }

  private async show(volume: VolumeMessage): Promise<void> {
    const { name, image, low, high, ct, labels } = volume;
    setText(this.heading, `${name} in 3D`);
    setText(document.querySelector('title') ?? this.heading, `${name} in 3D`);
    this.canvas.setAttribute('aria-label', `${name} in 3D`);
    if (!document.createElement('canvas').getContext('webgl2')) {
      this.say('This window has no WebGL 2, which a 3D view needs. The planes of the viewer need none.');
      return;
    }
    const view = new Niivue({
      ...{ backColor: [0, 0, 0, 1], show3Dcrosshair: false, isColorbar: false, isOrientCube: true },
      ...{ dragAndDropEnabled: false, logLevel: 'error', loadingText: '', multiplanarShowRender: SHOW_RENDER.ALWAYS },
    });
    await view.attachToCanvas(this.canvas);
    view.setSliceType(view.sliceTypeRender);
    // Of CT, skin and more: fat begins at about −150 HU.
    const first = ct ? -150 : low + (high - low) / 4;
    const base = await NVImage.loadFromUrl({
      ...{ url: bufferOf(image), name: `${name}.nii`, colormap: 'gray' },
      ...{ cal_min: first, cal_max: ct ? 600 : high },
    });
    view.addVolume(base);
    if (labels) await this.addLabels(view, labels);
    this.least.offer([ct ? -900 : low, ct ? 600 : high], first, (value) => {
      base.cal_min = value;
      view.updateGLVolume();
    });
    this.opacity.root.hidden = !labels;
    if (labels) this.opacity.offer([0, 1], 1, (value) => view.setOpacity(1, value));
    this.canvas.addEventListener('keydown', (event) => this.key(event, view));
    view.setRenderAzimuthElevation(this.azimuth, this.elevation);
    document.body.classList.add('shown');
  }

  private async addLabels(view: Niivue, { file, list }: NonNullable<VolumeMessage['labels']>): Promise<void> {
    const overlay = await NVImage.loadFromUrl({ url: bufferOf(file), name: 'labels.nii' });
    overlay.setColormapLabel(colorsOf(list));
    view.addVolume(overlay);
    this.showLabels = (changed) => {
      overlay.setColormapLabel(colorsOf(changed));
      view.updateGLVolume();
    };
  }

  private key(event: KeyboardEvent, view: Niivue): void {
    const moves: Record<string, readonly [azimuth: number, elevation: number]> = {
      ArrowLeft: [turn, 0],
      ArrowRight: [-turn, 0],
      ArrowUp: [0, turn],
      ArrowDown: [0, -turn],
    };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    this.azimuth += move[0];
    this.elevation = Math.max(-90, Math.min(90, this.elevation + move[1]));
    view.setRenderAzimuthElevation(this.azimuth, this.elevation);
  }

  /** Says that the volume cannot be drawn, and why. */
  fail(error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    this.say(`This volume cannot be drawn in 3D (${why}). The planes of the viewer show it.`);
  }

  private say(text: string): void {
    this.notice.hidden = false;
    this.tools.hidden = true;
    setText(this.notice, text);
    document.body.classList.add('failed');
  }
}

/** Labels that are off are clear. */
function colorsOf(list: readonly DrawnLabel[]) {
  const colors = list.map(({ value }) => labelColor(value));
  const channel = (c: 0 | 1 | 2) => [0, ...colors.map((color) => color[c])];
  return {
    ...{ R: channel(0), G: channel(1), B: channel(2), A: [0, ...list.map(({ shown }) => (shown ? 255 : 0))] },
    ...{ I: [0, ...list.map(({ value }) => value)], labels: ['', ...list.map((label) => label.name)] },
  };
}

function bufferOf(bytes: Uint8Array): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}

function slider(id: string, label: string) {
  const input = element('input', { type: 'range', id, step: 'any' });
  const root = element('div', { className: 'field' }, element('label', { htmlFor: id }, label), input);
  return {
    root,
    offer([least, most]: readonly [number, number], value: number, changed: (value: number) => void): void {
      Object.assign(input, { min: String(least), max: String(most) });
      input.value = String(value);
      input.addEventListener('input', () => changed(Number(input.value)));
    },
  };
}
