import { element, setText } from '../shared/dom.ts';

/** A picture to enlarge: a view of an image, or the slices of a volume side by side. */
export interface Picture {
  /** `chest-1.png · view 1 · step 399, epoch 8` */
  readonly caption: string;
  /** A PNG as a data URI. */
  readonly source: string;
  /** Number of slices in it, each a square; 1: it is one image. */
  readonly slices: number;
}

/**
 * Shows a picture as large as the window: Left and Right (or the wheel) go through the slices of a volume, Up and Down through the
 * pictures; Escape closes. Two sliders set brightness and contrast.
 */
export class Lightbox {
  readonly root = element('dialog', { className: 'lightbox', attributes: { 'aria-label': 'Enlarged picture' } });
  private readonly canvas = element('canvas', { tabIndex: 0, attributes: { role: 'img' } });
  private readonly caption = element('p', { attributes: { role: 'status' } });
  private readonly brightness = slider('Brightness');
  private readonly contrast = slider('Contrast');
  private pictures: readonly Picture[] = [];
  private at = 0;
  private slice = 0;

  constructor() {
    const close = element('button', { type: 'button', className: 'chip' }, 'Close');
    close.addEventListener('click', () => this.root.close());
    for (const { input } of [this.brightness, this.contrast]) input.addEventListener('input', () => this.applyWindow());
    this.root.append(
      this.canvas,
      this.caption,
      element('div', { className: 'lightbox-controls' }, this.brightness.root, this.contrast.root, close),
      element('p', { className: 'note' }, 'Left and Right: slices. Up and Down: pictures. Escape: close.'),
    );
    this.root.addEventListener('keydown', (event) => this.onKey(event));
    this.root.addEventListener(
      'wheel',
      (event) => {
        event.preventDefault();
        this.move(Math.sign(event.deltaY));
      },
      { passive: false },
    );
    this.root.addEventListener('click', (event) => {
      if (event.target === this.root) this.root.close();
    });
  }

  /** @param at the picture that is shown first; a volume at its middle slice */
  open(pictures: readonly Picture[], at: number): void {
    this.pictures = pictures;
    this.go(at);
    if (!this.root.open) this.root.showModal();
    // A slider would take the arrow keys.
    this.canvas.focus();
  }

  private go(at: number): void {
    const picture = this.pictures[at];
    if (!picture) return;
    // Views of one volume are compared at the same slice.
    const same = this.root.open && this.pictures[this.at]?.slices === picture.slices;
    this.at = at;
    if (!same) this.slice = picture.slices >> 1;
    void this.draw();
  }

  private move(by: number): void {
    const { slices } = this.pictures[this.at] ?? { slices: 1 };
    if (slices === 1) {
      this.go(this.at + by);
      return;
    }
    this.slice = Math.min(slices - 1, Math.max(0, this.slice + by));
    void this.draw();
  }

  private onKey(event: KeyboardEvent): void {
    // The arrows of a slider are its own.
    if (event.target instanceof HTMLInputElement) return;
    const actions: Record<string, () => void> = {
      ArrowLeft: () => this.move(-1),
      ArrowRight: () => this.move(1),
      ArrowUp: () => this.go(this.at - 1),
      ArrowDown: () => this.go(this.at + 1),
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  private async draw(): Promise<void> {
    const { at, slice } = this;
    const picture = this.pictures[at];
    if (!picture) return;
    const { caption, source, slices } = picture;
    const text = slices > 1 ? `${caption} · slice ${slice + 1} of ${slices}` : caption;
    const image = new Image();
    image.src = source;
    await image.decode();
    // Another key may have been pressed meanwhile.
    if (at !== this.at || slice !== this.slice) return;
    const width = image.naturalWidth / slices;
    this.canvas.width = width;
    this.canvas.height = image.naturalHeight;
    this.canvas
      .getContext('2d')
      ?.drawImage(image, slice * width, 0, width, image.naturalHeight, 0, 0, width, image.naturalHeight);
    this.canvas.setAttribute('aria-label', text);
    setText(this.caption, text);
  }

  private applyWindow(): void {
    this.canvas.style.filter = `brightness(${this.brightness.input.value}) contrast(${this.contrast.input.value})`;
  }
}

function slider(title: string): { root: HTMLElement; input: HTMLInputElement } {
  const input = element('input', { type: 'range', min: '0.25', max: '4', step: '0.05', value: '1' });
  return { root: element('label', { className: 'field' }, title, input), input };
}
