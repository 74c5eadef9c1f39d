import type { LabelInfo, LayerInfo, LayerLook } from '../../protocol/viewer/layers.ts';
import type { OpenedImage } from '../../protocol/viewer/page.ts';
import { count } from '../../protocol/words.ts';
import { agreementColors, agreementWords } from '../shared/agreement.ts';
import { element } from '../shared/dom.ts';
import { labelColor } from './labelColors.ts';
import type { ViewerState } from './state.ts';

/** What the panel changes. */
export interface OverlayActions {
  look(layer: number, part: Partial<LayerLook>): void;
  compare(pair: ViewerState['compare']): void;
  jump(place: LabelInfo['largest']): void;
  add(): void;
  /** Labels of this image by a network. */
  predict(): void;
  /** What a network sees of this image. */
  seen(): void;
  remove(layer: number): void;
}

/** The overlays: how each is drawn, and its labels with their volumes. */
export class OverlayPanel {
  readonly root: HTMLElement;
  private readonly list = element('div', { className: 'layers' });
  private readonly comparing = element('select', { id: 'um-compare' });
  private readonly compareField = element(
    'div',
    { className: 'field', hidden: true },
    element('label', { htmlFor: 'um-compare' }, 'Compare'),
    this.comparing,
  );
  private readonly legend = element('ul', { className: 'legend', hidden: true });
  private readonly predict = element('button', { type: 'button', hidden: true }, 'Predict…');
  private readonly seen = element('button', { type: 'button', hidden: true }, 'What the Network Sees…');
  private readonly cards = new Map<number, LayerCard>();

  constructor(private readonly actions: OverlayActions) {
    const add = element('button', { type: 'button' }, 'Add Overlay…');
    add.addEventListener('click', () => actions.add());
    this.predict.title = 'Labels this image with a fine-tuned network; the labels are drawn over it';
    this.predict.addEventListener('click', () => actions.predict());
    this.seen.title = 'Both views of this image that a step of a pre-training run is trained on';
    this.seen.addEventListener('click', () => actions.seen());
    this.comparing.addEventListener('change', () => {
      const [reference, prediction] = this.comparing.value.split(' ').map(Number);
      actions.compare(reference !== undefined && prediction !== undefined ? { reference, prediction } : undefined);
    });
    for (const [kind, words] of Object.entries(agreementWords)) {
      const color = agreementColors[kind as keyof typeof agreementColors];
      this.legend.append(element('li', {}, swatch(color), words));
    }
    this.root = element(
      'aside',
      { className: 'side', attributes: { 'aria-label': 'Overlays' } },
      element('div', { className: 'side-head' }, element('h2', {}, 'Overlays'), this.predict, this.seen, add),
      this.compareField,
      this.legend,
      this.list,
    );
  }

  offerPrediction(possible: boolean): void {
    this.predict.hidden = !possible;
    this.seen.hidden = !possible;
  }

  show(layers: readonly LayerInfo[], state: ViewerState, kind: OpenedImage['kind']): void {
    for (const [layer, card] of this.cards) {
      if (layers.includes(card.info)) continue;
      card.root.remove();
      this.cards.delete(layer);
      this.offerComparison(layers);
    }
    for (const info of layers) {
      const look = state.looks[info.layer];
      if (!look) continue;
      let card = this.cards.get(info.layer);
      if (!card) {
        card = new LayerCard(info, distinct(info), kind === 'picture' ? 'pixel' : 'voxel', this.actions);
        this.cards.set(info.layer, card);
        this.list.append(card.root);
        this.offerComparison(layers);
      }
      card.show(look);
    }
    const { compare } = state;
    this.comparing.value = compare ? `${compare.reference} ${compare.prediction}` : '';
    this.legend.hidden = compare === undefined;
  }

  /** Each pair of label maps, the first of them as reference. */
  private offerComparison(layers: readonly LayerInfo[]): void {
    const maps = layers.filter(({ content, layer }) => content.kind === 'labels' && layer > 0);
    this.compareField.hidden = maps.length < 2;
    const pairs = maps.flatMap((reference) =>
      maps
        .filter((prediction) => prediction !== reference)
        .map((prediction) =>
          element(
            'option',
            { value: `${reference.layer} ${prediction.layer}` },
            `${distinct(prediction)} with ${distinct(reference)} as reference`,
          ),
        ),
    );
    this.comparing.replaceChildren(element('option', { value: '' }, 'Nothing'), ...pairs);
  }
}

/** The layer's name with its folder: labels and predictions of an image have the same name. */
function distinct({ layer, name, title, path }: LayerInfo): string {
  return title ?? (layer > 0 ? path.split(/[\\/]/).slice(-2).join('/') : name);
}

class LayerCard {
  readonly root: HTMLElement;
  private readonly visible: HTMLInputElement;
  private readonly style: HTMLSelectElement;
  private readonly opacity: HTMLInputElement;
  private readonly labels = new Map<number, HTMLInputElement>();
  private readonly all = element('input', { type: 'checkbox' });

  constructor(
    readonly info: LayerInfo,
    private readonly name: string,
    private readonly unit: 'pixel' | 'voxel',
    actions: OverlayActions,
  ) {
    const { layer, content, notices } = info;
    const id = `um-layer-${layer}`;
    const change = (part: Partial<LayerLook>) => actions.look(layer, part);
    this.visible = element('input', { type: 'checkbox', id });
    this.visible.addEventListener('change', () => change({ visible: this.visible.checked }));
    this.style = element('select', { attributes: { 'aria-label': `How ${this.name} is drawn` } });
    for (const [value, words] of Object.entries({ fill: 'Filled', outline: 'Outline', both: 'Both' }))
      this.style.append(element('option', { value }, words));
    this.style.addEventListener('change', () => {
      const { value } = this.style;
      if (value === 'fill' || value === 'outline' || value === 'both') change({ style: value });
    });
    this.style.hidden = content.kind !== 'labels' || layer === 0;
    this.opacity = element('input', { type: 'range', min: '0', max: '1', step: '0.05' });
    this.opacity.setAttribute('aria-label', `Opacity of ${this.name}`);
    this.opacity.addEventListener('input', () => change({ opacity: Number(this.opacity.value) }));
    this.root = element(
      'section',
      { className: 'layer', attributes: { 'aria-label': this.name } },
      element(
        'div',
        { className: 'field' },
        this.visible,
        element('label', { htmlFor: id, title: info.path }, this.name),
        info.added ? removal(this.name, () => actions.remove(layer)) : null,
      ),
      element('div', { className: 'field' }, this.style, this.opacity),
      ...notices.map((notice) => element('p', { className: 'note' }, `It ${notice}.`)),
    );
    if (content.kind === 'labels') this.root.append(this.table(content.labels, change, actions));
  }

  show(look: LayerLook): void {
    this.visible.checked = look.visible;
    this.style.value = look.style;
    this.opacity.value = String(look.opacity);
    for (const [value, tick] of this.labels) tick.checked = !look.hidden.includes(value);
    this.all.checked = look.hidden.length === 0;
    this.all.indeterminate = look.hidden.length > 0 && look.hidden.length < this.labels.size;
  }

  private table(
    labels: readonly LabelInfo[],
    change: (part: Partial<LayerLook>) => void,
    actions: OverlayActions,
  ): HTMLElement {
    this.all.setAttribute('aria-label', `All labels of ${this.name}`);
    this.all.addEventListener('change', () =>
      change({ hidden: this.all.checked ? [] : labels.map(({ value }) => value) }),
    );
    const rows = labels.map((label) => {
      const id = `um-label-${this.info.layer}-${label.value}`;
      const tick = element('input', { type: 'checkbox', id });
      tick.addEventListener('change', () => {
        const hidden = [...this.labels].flatMap(([value, one]) => (one.checked ? [] : value));
        change({ hidden });
      });
      this.labels.set(label.value, tick);
      const jump = element('button', { type: 'button', title: 'Go to its largest slice' }, 'Show');
      jump.setAttribute('aria-label', `Show the largest slice of ${label.name}`);
      jump.addEventListener('click', () => actions.jump(label.largest));
      const amount =
        label.milliliters === undefined ? count(label.voxels, this.unit) : `${volumeText(label.milliliters)} ml`;
      return element(
        'tr',
        {},
        element('td', {}, tick),
        element('td', {}, element('label', { htmlFor: id }, swatch([...labelColor(label.value), 1]), label.name)),
        element('td', { className: 'amount' }, amount),
        element('td', {}, jump),
      );
    });
    const head = element(
      'tr',
      {},
      element('td', {}, this.all),
      element('th', { scope: 'col' }, 'Label'),
      element('th', { scope: 'col' }, this.unit === 'pixel' ? 'Area' : 'Volume'),
      element('td', {}),
    );
    return element('table', {}, element('thead', {}, head), element('tbody', {}, ...rows));
  }
}

function removal(name: string, remove: () => void): HTMLElement {
  const button = element('button', { type: 'button', className: 'remove' }, 'Remove');
  button.setAttribute('aria-label', `Remove ${name}`);
  button.addEventListener('click', remove);
  return button;
}

function volumeText(milliliters: number): string {
  return milliliters >= 100
    ? milliliters.toFixed(0)
    : milliliters >= 1
      ? milliliters.toFixed(1)
      : milliliters.toPrecision(2);
}

function swatch([red, green, blue]: readonly number[]): HTMLElement {
  const one = element('span', { className: 'swatch' });
  one.style.background = `rgb(${red} ${green} ${blue})`;
  return one;
}
