/** Makes the column heads of a table buttons that sort its rows: first falling or rising by what the column holds, then reversed. */
export function makeSortable(table: HTMLTableElement): void {
  const body = table.tBodies[0];
  const heads = [...(table.tHead?.rows[0]?.cells ?? [])];
  if (!body) return;
  for (const [column, head] of heads.entries()) {
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener('click', () => {
      const order = head.getAttribute('aria-sort') === 'ascending' ? 'descending' : 'ascending';
      for (const other of heads) other.removeAttribute('aria-sort');
      head.setAttribute('aria-sort', order);
      const rows = [...body.rows].sort((a, b) =>
        compare(cellValue(a, column), cellValue(b, column), order === 'ascending'),
      );
      body.append(...rows);
    });
  }
}

/** The cell's value: `data-value` where it is a number, else its text; null for a dash. */
function cellValue(row: HTMLTableRowElement, column: number): number | string | null {
  const cell = row.cells[column];
  const value = cell?.dataset.value;
  if (value !== undefined) return value === '' ? null : Number(value);
  return cell?.textContent ?? null;
}

/** Cells without a value come last in either order. */
export function compare(a: number | string | null, b: number | string | null, ascending: boolean): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  const order =
    typeof a === 'number' && typeof b === 'number'
      ? a - b
      : String(a).localeCompare(String(b), 'en', { numeric: true });
  return ascending ? order : -order;
}
