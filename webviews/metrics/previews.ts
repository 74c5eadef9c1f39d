import { modalities } from '../../protocol/modality.ts';
import '@vscode-elements/elements/dist/vscode-button/index.js';
import type { VscodeButton } from '@vscode-elements/elements/dist/vscode-button/index.js';
import type { MetricsHost, Preview } from '../../protocol/metrics/page.ts';
import { element, setText } from '../shared/dom.ts';
import { formatCount } from './format.ts';
import { Lightbox, type Picture } from './lightbox.ts';
import type { Run } from './store.ts';
import { lastAtOrBefore } from './table.ts';

/**
 * Shows what the network saw: the two views of images and, as strips of slices, of volumes. Newest first; a slider selects older
 * ones.
 */
export class Previews {
  readonly root: HTMLElement;
  private readonly slider = element('input', { type: 'range', min: '0', step: '1', id: 'um-preview-step' });
  private readonly older = button('Older');
  private readonly newer = button('Newer');
  private readonly place = element('output', { attributes: { for: 'um-preview-step' } });
  private readonly sets = element('div', { className: 'preview-sets' });
  private readonly controls: HTMLElement;
  private readonly empty = element('p', { className: 'empty' });
  private readonly lightbox = new Lightbox();
  private steps: number[] = [];
  private shown: (Preview | undefined)[] = [];

  /** `choose` receives the step to show, or null to follow the newest. */
  constructor(
    private readonly choose: (step: number | null) => void,
    private readonly host: MetricsHost | undefined,
  ) {
    this.slider.addEventListener('input', () => this.go(Number(this.slider.value)));
    this.older.addEventListener('click', () => this.go(Number(this.slider.value) - 1));
    this.newer.addEventListener('click', () => this.go(Number(this.slider.value) + 1));
    this.controls = element(
      'div',
      { className: 'preview-controls' },
      this.older,
      element('label', { htmlFor: 'um-preview-step' }, 'Step'),
      this.slider,
      this.newer,
      this.place,
    );
    this.root = element('div', { className: 'previews' }, this.controls, this.sets, this.empty, this.lightbox.root);
  }

  show(run: Run | undefined, step: number | null): void {
    const previews = (run?.previews ?? []).toSorted((a, b) => a.step - b.step);
    this.steps = [...new Set(previews.map((p) => p.step))];
    const last = this.steps.length - 1;
    const chosen = step === null ? last : Math.max(0, lastAtOrBefore(this.steps, step));
    const current = previews.findLast((p) => p.step === this.steps[chosen]);
    this.empty.hidden = current !== undefined;
    setText(
      this.empty,
      run?.settings?.['records.previews'] === 'false'
        ? 'Previews are switched off (records.previews).'
        : 'Previews appear after the first epoch.',
    );
    this.controls.hidden = current === undefined;
    this.slider.max = String(Math.max(0, last));
    this.slider.value = String(chosen);
    this.slider.disabled = last < 1;
    this.older.disabled = chosen <= 0;
    this.newer.disabled = chosen >= last;
    if (current) {
      const newest = chosen === last ? ' (newest)' : '';
      setText(this.place, `step ${formatCount(current.step)}, epoch ${current.epoch + 1}${newest}`);
      this.slider.setAttribute('aria-valuetext', this.place.textContent ?? '');
    }
    // For the other phase, the newest at that step.
    const sets = modalities.map((phase) =>
      previews.findLast((p) => p.phase === phase && current !== undefined && p.step <= current.step),
    );
    if (sets.every((set, i) => set === this.shown[i])) return;
    this.shown = sets;
    const present = sets.filter((set) => set !== undefined);
    const pictures = present.flatMap(picturesOf);
    let next = 0;
    // Hidden names lead to no file.
    const open =
      run && this.host && run.settings?.['records.hidePaths'] !== 'true'
        ? (image: string) => this.host?.openImage(run.id, image)
        : undefined;
    const enlarge = (first: number) => (n: number) => this.lightbox.open(pictures, first + n);
    this.sets.replaceChildren(
      ...present.map((set) => {
        const made = previewSet(set, enlarge(next), open);
        next += picturesOf(set).length;
        return made;
      }),
    );
  }

  private go(index: number): void {
    const step = this.steps[Math.max(0, index)];
    this.choose(index >= this.steps.length - 1 || step === undefined ? null : step);
  }
}

/** The pictures of a set, in the order of the page. */
function picturesOf({ phase, step, epoch, images }: Preview): Picture[] {
  return images.flatMap((image, n) =>
    image.views.map((source, view) => ({
      caption: `${nameOf(image.name, n, phase)} · ${viewTitle(image, view)} · step ${formatCount(step)}, epoch ${epoch + 1}`,
      source,
      slices: phase === '2D' ? 1 : (image.slices ?? 16),
    })),
  );
}

function nameOf(name: string | undefined, n: number, phase: Preview['phase']): string {
  return name ?? `${phase === '2D' ? 'Image' : 'Volume'} ${n + 1}`;
}

function viewTitle({ titles }: Preview['images'][number], view: number): string {
  return titles?.[view] ?? `view ${view + 1}`;
}

/**
 * @param enlarge gets the number of a picture in the set
 * @param open shows the file of an image; undefined: nothing can
 */
function previewSet(
  preview: Preview,
  enlarge: (picture: number) => void,
  open: ((image: string) => void) | undefined,
): HTMLElement {
  const flat = preview.phase === '2D';
  const viewsBefore = (n: number) => preview.images.slice(0, n).reduce((sum, { views }) => sum + views.length, 0);
  return element(
    'div',
    { className: `preview-set ${flat ? 'flat' : 'strips'}` },
    element(
      'h3',
      {},
      flat ? 'Images (2D)' : 'Volumes (3D), slice by slice',
      element('span', { className: 'note' }, `step ${formatCount(preview.step)}`),
    ),
    flat || preview.images.some(({ titles }) => titles)
      ? null
      : element(
          'p',
          { className: 'note' },
          'Augmentation changes the intensity of each slice by itself, so neighbours may differ in brightness.',
        ),
    element(
      'div',
      { className: 'preview-images' },
      ...preview.images.map((image, n) =>
        element(
          'figure',
          // A strip of slices may be wider than the page.
          flat ? {} : { tabIndex: 0, attributes: { 'aria-label': `${image.name ?? `Volume ${n + 1}`}, slices` } },
          element(
            'div',
            { className: 'views' },
            ...image.views.map((source, view) => {
              const picture = element('img', {
                alt: `${image.name ?? `image ${n + 1}`}, ${viewTitle(image, view)}`,
                decoding: 'async',
              });
              picture.style.aspectRatio = flat ? '1' : String(image.slices ?? 16);
              picture.src = source;
              // One stop of the tab key for a set: the enlarged picture leads to all others.
              const index = viewsBefore(n) + view;
              const button = element('button', {
                type: 'button',
                className: 'picture',
                title: 'Enlarge',
                tabIndex: index === 0 ? 0 : -1,
              });
              button.append(picture);
              button.addEventListener('click', () => enlarge(index));
              return element(
                'div',
                { className: 'view' },
                element('span', { className: 'view-name' }, viewTitle(image, view)),
                button,
              );
            }),
          ),
          image.name ? caption(image.name, open) : null,
        ),
      ),
    ),
  );
}

/** The name of an image, which opens its file where that is possible. */
function caption(name: string, open: ((image: string) => void) | undefined): HTMLElement {
  if (!open) return element('figcaption', { title: name }, name);
  const link = element('button', { type: 'button', className: 'link', title: `Open ${name} in the viewer` }, name);
  link.addEventListener('click', () => open(name));
  return element('figcaption', {}, link);
}

function button(text: string): VscodeButton {
  const made = document.createElement('vscode-button') as VscodeButton;
  made.secondary = true;
  made.textContent = text;
  return made;
}
