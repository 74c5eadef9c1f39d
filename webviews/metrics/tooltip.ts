import { element } from './dom.ts';

/** One run's value at the cursor; `exact` is the recorded value where a moving average is shown. */
export interface TooltipRow {
  color: string;
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
        const swatch = element('span', { className: 'swatch' });
        swatch.style.backgroundColor = row.color;
        return element(
          'div',
          { className: 'tooltip-row' },
          several ? swatch : null,
          several ? element('span', { className: 'tooltip-name' }, row.name) : null,
          element('strong', { className: 'tooltip-value' }, row.value),
          row.exact ? element('span', { className: 'tooltip-exact' }, `recorded ${row.exact}`) : null,
        );
      }),
      ...notes.map((text) => element('div', { className: 'tooltip-note' }, text)),
    );
    this.root.classList.add('shown');
    // On the side of the cursor that has more room. Moved by a transform, which shifts no layout.
    this.root.style.transform =
      left > width / 2 ? `translateX(calc(${left - 10}px - 100%))` : `translateX(${left + 10}px)`;
  }

  hide(): void {
    this.root.classList.remove('shown');
  }
}
