import { parse as parseCsv } from 'csv-parse/sync';
import { messageOf, UnimissError } from '../../../../protocol/errors.ts';
import { readWhole } from '../../formats/bytes.ts';

/** A CSV or TSV file with a header line. */
export interface Table {
  readonly file: string;
  /** Names of columns in lower case. */
  readonly columns: readonly string[];
  readonly rows: readonly { readonly line: number; readonly cells: Readonly<Record<string, string>> }[];
}

const maxBytes = 2 ** 28;

/**
 * Reads a table. Its columns are separated by commas, semicolons or tabs, whichever the first line has.
 * @throws UnimissError('data'): no table, a line with more or fewer columns than the header, a column twice
 */
export async function readTable(file: string): Promise<Table> {
  const bytes = await readWhole(file, maxBytes).catch((error) => {
    throw error instanceof UnimissError
      ? new UnimissError(error.code, error.what, { ...error.details, images: [] })
      : error;
  });
  const text = bytes.toString('utf8').replace(/^\uFEFF/, '');
  const [header = ''] = text.split(/\r?\n/, 1);
  const delimiter = header.includes('\t') ? '\t' : header.includes(',') ? ',' : ';';
  let records: { record: string[]; info: { lines: number } }[];
  try {
    records = parseCsv(text, {
      delimiter,
      info: true,
      trim: true,
      skip_empty_lines: true,
      relax_column_count: true,
    }) as unknown as typeof records;
  } catch (error) {
    const what = messageOf(error).replace(/, value is .*/s, ''); // values may name patients
    throw new UnimissError('data', `is not a valid table (${what})`, { place: file, cause: error });
  }
  const columns = records[0]?.record.map((name) => name.toLowerCase()) ?? [];
  const twice = columns.find((name, i) => columns.indexOf(name) !== i);
  if (twice !== undefined)
    throw new UnimissError('data', `has two columns “${twice}”`, {
      place: file,
      remedy: 'Rename or remove one of them.',
    });
  const rows = records.slice(1).map(({ record, info }) => {
    if (record.length !== columns.length)
      throw new UnimissError('data', `has ${record.length} columns, but the first line has ${columns.length}`, {
        place: `${file}:${info.lines}`,
        remedy: 'Put values that contain the separator into quotation marks.',
      });
    return { line: info.lines, cells: Object.fromEntries(columns.map((name, i) => [name, record[i] ?? ''])) };
  });
  return { file, columns, rows };
}
