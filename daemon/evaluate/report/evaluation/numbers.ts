import type { Interval } from '../../../../protocol/evaluation/common.ts';
import { html, type Markup } from '../markup.ts';

/** Three significant digits; a dash where there is no value. */
export function formatNumber(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  if (value !== 0 && Math.abs(value) < 0.0005) return value.toExponential(1).replace('-', '−');
  const text = Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(3);
  return text.replace('-', '−');
}

export function formatInterval(interval: Interval | null | undefined): string {
  return interval ? `${formatNumber(interval.low)} to ${formatNumber(interval.high)}` : '';
}

/** A cell with a number, and its interval below. */
export function numberCell(value: number | null | undefined, interval?: Interval | null): Markup {
  const own = interval ? html` <span class="interval">${formatInterval(interval)}</span>` : html``;
  return html`<td class="number" data-value="${value ?? ''}">${formatNumber(value)}${own}</td>`;
}

export interface Column {
  readonly name: string;
  readonly numeric: boolean;
}

/**
 * A table in a region that scrolls, can be reached by the keyboard and has a name. `rows` are `<tr>`; the first cell of each is a
 * `<th scope="row">`. @param foot a row that stays below all others however they are sorted
 */
export function tableOf(
  caption: string,
  columns: readonly Column[],
  rows: readonly Markup[],
  sortable = true,
  foot?: Markup,
): Markup {
  const heads = columns.map(({ name, numeric }) =>
    numeric ? html`<th scope="col" class="number">${name}</th>` : html`<th scope="col">${name}</th>`,
  );
  const hint = sortable ? html` <span class="hint">Choose a column’s head to sort.</span>` : html``;
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0">
<table class="${sortable ? 'sortable' : 'plain'}"><caption><span>${caption}${hint}</span></caption>
<thead><tr>${heads}</tr></thead>
<tbody>
${rows}
</tbody>${foot === undefined ? html`` : html`<tfoot>${foot}</tfoot>`}</table></div>
`;
}
