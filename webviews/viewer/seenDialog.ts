import type { SeenViews, SimilarImages } from '../../protocol/viewer/page.ts';
import { element } from '../shared/dom.ts';
import { pixelCanvas } from '../shared/plane.ts';

/** Slices of a volume in a row. */
const tilesInRow = 8;

/** What the dialog asks for. */
export interface SeenActions {
  /** The views of another epoch. */
  again(epoch: number): void;
  /** The attention of the class token, over the image. */
  attention(): void;
  similar(): void;
  /** One of the similar images. */
  open(index: number): void;
}

/** What the network of a run sees of the image: both views of a training step. */
export class SeenDialog {
  readonly root: HTMLDialogElement;
  private readonly about = element('p');
  private readonly views = element('div', {
    className: 'scroll views',
    tabIndex: 0,
    attributes: { role: 'region', 'aria-label': 'Views' },
  });
  private readonly similar = element('div', { className: 'similar' });
  private epoch = 0;

  constructor(private readonly actions: SeenActions) {
    const again = button('Draw Again', () => actions.again(this.epoch + 1));
    const attention = button('Show Attention', () => {
      this.root.close();
      actions.attention();
    });
    attention.title = 'Where the class token of the network looks, drawn over the image';
    const similar = button('Find Similar Images', () => actions.similar());
    similar.title = 'Images of the run whose features are most like those of this one';
    const close = button('Close', () => this.root.close());
    this.root = element(
      'dialog',
      { attributes: { 'aria-label': 'What the Network Sees' } },
      element('h2', {}, 'What the Network Sees'),
      this.about,
      this.views,
      this.similar,
      again,
      attention,
      similar,
      close,
    );
  }

  open({ run, epoch, phase, views }: SeenViews): void {
    this.epoch = epoch;
    const what = phase === '3D' ? 'all slices of each, cropped and changed at random' : 'cropped and changed at random';
    this.about.textContent = `Both views of a training step of ${run}, in epoch ${epoch + 1}: ${what}.`;
    this.views.replaceChildren(...views.map((view, i) => figure(view, i + 1)));
    if (!this.root.open) {
      this.similar.replaceChildren();
      this.root.showModal();
    }
  }

  showSimilar({ run, images, neighbours }: SimilarImages): void {
    const rows = neighbours.map(({ image, similarity }, i) =>
      element(
        'li',
        {},
        element('span', { title: image }, `${image.split(/[\\/]/).slice(-2).join('/')}: ${similarity.toFixed(3)} `),
        button('Open', () => this.actions.open(i), `Open ${image.split(/[\\/]/).at(-1)}`),
      ),
    );
    this.similar.replaceChildren(
      element('p', {}, `Of ${images} images of ${run}, those with the most similar features (cosine):`),
      element('ol', { attributes: { 'aria-label': 'Similar images' } }, ...rows),
    );
    if (!this.root.open) this.root.showModal();
  }
}

function button(text: string, action: () => void, label?: string): HTMLButtonElement {
  const one = element('button', { type: 'button' }, text);
  if (label !== undefined) one.setAttribute('aria-label', label);
  one.addEventListener('click', action);
  return one;
}

function figure(view: SeenViews['views'][number], number: number): HTMLElement {
  const { width, height, slices } = view;
  const one = width / slices;
  const size = slices === 1 ? `${one} × ${height} pixels` : `${slices} slices of ${one} × ${height} voxels`;
  const canvas = tiled(view);
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', `View ${number}: ${size}`);
  return element('figure', {}, canvas, element('figcaption', {}, `View ${number}: ${size}`));
}

/** The slices, which come side by side, in rows. */
function tiled({ width, height, slices, channels, data }: SeenViews['views'][number]): HTMLCanvasElement {
  const one = width / slices;
  const columns = Math.min(slices, tilesInRow);
  const rows = Math.ceil(slices / columns);
  return pixelCanvas({ width: columns * one, height: rows * height }, (pixels) => {
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const slice = Math.floor(x / one);
        const toX = (slice % columns) * one + (x % one);
        const toY = Math.floor(slice / columns) * height + y;
        const from = (y * width + x) * channels;
        const to = 4 * (toY * columns * one + toX);
        for (const c of [0, 1, 2]) pixels[to + c] = data[from + (channels === 3 ? c : 0)] ?? 0;
        pixels[to + 3] = 255;
      }
  });
}
