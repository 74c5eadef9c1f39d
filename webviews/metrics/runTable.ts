import '@vscode-elements/elements/dist/vscode-checkbox/index.js';
import type { VscodeCheckbox } from '@vscode-elements/elements/dist/vscode-checkbox/index.js';
import { element, setText } from '../shared/dom.ts';
import { type RunColumn, runColumns } from './runColumns.ts';
import type { Run } from './store.ts';
import { Swatch } from './swatch.ts';

/** How a run is drawn. */
export interface RunLook {
  readonly color: string;
  readonly dash: readonly number[] | undefined;
}

interface Row {
  readonly root: HTMLTableRowElement;
  readonly box: VscodeCheckbox;
  readonly swatch: Swatch;
  cells: HTMLTableCellElement[];
}

/** What the table reports. */
export interface RunTableEvents {
  toggle(id: string, shown: boolean): void;
  /** The run that the pointer or the focus is on; null: none. */
  emphasise(id: string | null): void;
}

/** The runs of a comparison, one row each: shown or not, colour and dash, state, losses, and the settings that differ. Sortable. */
export class RunTable {
  readonly root: HTMLElement;
  private readonly head = element('tr');
  private readonly body = element('tbody');
  private readonly rows = new Map<string, Row>();
  private columns: RunColumn[] = [];
  private sorted: { key: string; descending: boolean } | undefined;
  private runs: readonly Run[] = [];

  constructor(private readonly events: RunTableEvents) {
    this.root = element(
      'div',
      { className: 'runs', tabIndex: 0, attributes: { role: 'region', 'aria-label': 'Runs' } },
      element('table', {}, element('thead', {}, this.head), this.body),
    );
  }

  show(runs: readonly Run[], hidden: readonly string[], look: (id: string) => RunLook): void {
    this.runs = runs;
    this.root.hidden = runs.length < 2;
    if (this.root.hidden) return;
    this.showColumns(runColumns(runs));
    for (const [id, row] of this.rows) {
      if (runs.some((run) => run.id === id)) continue;
      row.root.remove();
      this.rows.delete(id);
    }
    for (const run of runs) {
      const row = this.rows.get(run.id) ?? this.add(run);
      const { color, dash } = look(run.id);
      row.swatch.show(color, dash);
      row.box.checked = !hidden.includes(run.id);
      row.root.classList.toggle('off', !row.box.checked);
      if (row.cells.length !== this.columns.length) {
        for (const cell of row.cells) cell.remove();
        row.cells = this.columns.map(() => element('td'));
        row.root.append(...row.cells);
      }
      for (const [i, column] of this.columns.entries()) {
        const cell = row.cells[i];
        if (cell) setText(cell, column.text(run) || '–');
      }
    }
    this.order();
  }

  private showColumns(columns: RunColumn[]): void {
    const key = (all: readonly RunColumn[]) => all.map((column) => column.key).join('\n');
    const same = key(columns) === key(this.columns) && this.head.childElementCount > 0;
    this.columns = columns;
    if (same) return;
    this.head.replaceChildren(this.heading('name', 'Run'), ...columns.map((c) => this.heading(c.key, c.title, c.help)));
  }

  private heading(key: string, title: string, help = ''): HTMLElement {
    const button = element('button', { type: 'button', className: 'sort', title: help }, title);
    const cell = element('th', { scope: 'col' }, button);
    cell.dataset.column = key;
    button.addEventListener('click', () => {
      this.sorted = { key, descending: this.sorted?.key === key && !this.sorted.descending };
      this.order();
    });
    return cell;
  }

  private order(): void {
    const { sorted } = this;
    for (const cell of this.head.children) {
      const own = sorted && (cell as HTMLElement).dataset.column === sorted.key;
      if (own) cell.setAttribute('aria-sort', sorted.descending ? 'descending' : 'ascending');
      else cell.removeAttribute('aria-sort');
    }
    const value = this.columns.find(({ key }) => key === sorted?.key)?.value ?? ((run: Run) => run.name);
    const inOrder = sorted
      ? this.runs.toSorted((a, b) => (sorted.descending ? -1 : 1) * compare(value(a), value(b)))
      : this.runs;
    const wanted = inOrder.flatMap(({ id }) => this.rows.get(id)?.root ?? []);
    if (wanted.every((row, i) => this.body.children[i] === row)) return;
    this.body.append(...wanted);
  }

  private add(run: Run): Row {
    const box = document.createElement('vscode-checkbox') as VscodeCheckbox;
    box.label = run.name;
    box.addEventListener('change', () => this.events.toggle(run.id, box.checked));
    const swatch = new Swatch();
    const name = element('th', { scope: 'row' }, element('div', { className: 'run-name' }, swatch.root, box));
    const root = element('tr', {}, name);
    root.dataset.run = run.id;
    root.addEventListener('pointerenter', () => this.events.emphasise(run.id));
    root.addEventListener('pointerleave', () => this.events.emphasise(null));
    root.addEventListener('focusin', () => this.events.emphasise(run.id));
    root.addEventListener('focusout', () => this.events.emphasise(null));
    this.body.append(root);
    const row: Row = { root, box, swatch, cells: [] };
    this.rows.set(run.id, row);
    return row;
  }
}

function compare(a: number | string, b: number | string): number {
  if (typeof a === 'number' && typeof b === 'number') return a === b ? 0 : a - b;
  return String(a).localeCompare(String(b), 'en', { numeric: true });
}
