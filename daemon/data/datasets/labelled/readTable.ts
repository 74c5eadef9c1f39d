import { UnimissError } from '../../../../protocol/errors.ts';
import { delimitedLines, readListing } from '../delimited.ts';

/** A CSV or TSV file with a header line. */
export interface Table {
  readonly file: string;
  /** Names of columns in lower case. */
  readonly columns: readonly string[];
  readonly rows: readonly { readonly line: number; readonly cells: Readonly<Record<string, string>> }[];
}

/**
 * Reads a table. Its columns are separated by commas, semicolons or tabs, whichever the first line has.
 * @throws UnimissError('data'): no table, a line with more or fewer columns than the header, a column twice
 */
export async function readTable(file: string): Promise<Table> {
  const text = await readListing(file);
  const [header = ''] = text.split(/\r?\n/, 1);
  const delimiter = header.includes('\t') ? '\t' : header.includes(',') ? ',' : ';';
  const [first, ...others] = delimitedLines(file, text, delimiter);
  const columns = first?.cells.map((name) => name.toLowerCase()) ?? [];
  const twice = columns.find((name, i) => columns.indexOf(name) !== i);
  if (twice !== undefined)
    throw new UnimissError('data', `has two columns “${twice}”`, {
      place: file,
      remedy: 'Rename or remove one of them.',
    });
  const rows = others.map(({ line, cells }) => {
    if (cells.length !== columns.length)
      throw new UnimissError('data', `has ${cells.length} columns, but the first line has ${columns.length}`, {
        place: `${file}:${line}`,
        remedy: 'Put values that contain the separator into quotation marks.',
      });
    return { line, cells: Object.fromEntries(columns.map((name, i) => [name, cells[i] ?? ''])) };
  });
  return { file, columns, rows };
}
