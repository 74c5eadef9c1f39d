import { element } from '../shared/dom.ts';
import { Swatch } from './swatch.ts';

export interface LegendEntry {
  readonly name: string;
  readonly color: string;
  readonly dash: readonly number[] | undefined;
}

/** Entries beyond which a small chart has no legend; enlarged or on paper it has all. */
const fewEntries = 12;

/** The names of curves that share a chart. */
export class Legend {
  readonly root = element('ul', { className: 'chart-legend', hidden: true });
  private shown = '';

  show(entries: readonly LegendEntry[]): void {
    const key = JSON.stringify(entries);
    if (key === this.shown) return;
    this.shown = key;
    this.root.hidden = entries.length === 0;
    this.root.classList.toggle('long', entries.length > fewEntries);
    this.root.replaceChildren(
      ...entries.map(({ name, color, dash }) =>
        element('li', {}, new Swatch(color, dash).root, element('span', {}, name)),
      ),
    );
  }
}
