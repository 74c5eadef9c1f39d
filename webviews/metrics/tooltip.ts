import { element } from '../shared/dom.ts';
import { Swatch } from './swatch.ts';

/** One run's value at the cursor; `exact`: what else belongs to it, such as the recorded value beside a moving average, or its interval. */
export interface TooltipRow {
  color: string;
  dash: readonly number[] | undefined;
  name: string;
  value: string;
  exact: string;
}

/** The box with all runs' values beside the cursor; it never takes the pointer. */
export class Tooltip {
  readonly root = element('div', { className: 'tooltip', attributes: { 'aria-hidden': 'true' } });

  show(place: string, rows: readonly TooltipRow[], notes: readonly string[], left: number, width: number): void {
    const several = rows.length > 1;
    this.root.replaceChildren(
      element('div', { className: 'tooltip-place' }, place),
      ...rows.map((row) => {
        const swatch = new Swatch(row.color, row.dash).root;
        return element(
          'div',
          { className: 'tooltip-row' },
          several ? swatch : null,
          several ? element('span', { className: 'tooltip-name' }, row.name) : null,
          element('strong', { className: 'tooltip-value' }, row.value),
          row.exact ? element('span', { className: 'tooltip-exact' }, row.exact) : null,
        );
      }),
      ...notes.map((text) => element('div', { className: 'tooltip-note' }, text)),
    );
    this.root.classList.add('shown');
    // Placed on the side of the cursor with more room, within the chart. A transform moves it without changing the layout.
    const own = this.root.offsetWidth;
    const wished = left > width / 2 ? left - 10 - own : left + 10;
    const x = Math.max(4, Math.min(width - own - 4, wished));
    this.root.style.transform = `translate(${x}px, ${this.top()}px)`;
  }

  hide(): void {
    this.root.classList.remove('shown');
  }

  /** At the top of a large chart. It would hide a small one, so it goes below that, or above if the window ends there. */
  private top(): number {
    const chart = this.root.parentElement!.getBoundingClientRect();
    const own = this.root.offsetHeight;
    if (chart.height > 300) return 14;
    const below = chart.height - 12;
    return chart.top + below + own < innerHeight ? below : -own - 34;
  }
}
