import { parse as parseCsv } from 'csv-parse/sync';
import { messageOf, UnimissError } from '../../../protocol/errors.ts';
import { readWhole } from '../formats/bytes.ts';

/** A line of a file with values between separators. */
export interface DelimitedLine {
  /** From 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

const maxBytes = 2 ** 28;

/**
 * The text of a table, a list of images or a description of a data set, without a byte order mark.
 * @throws UnimissError('data') about the file, which names no image
 */
export async function readListing(file: string): Promise<string> {
  try {
    return (await readWhole(file, maxBytes)).toString('utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    if (!(error instanceof UnimissError)) throw error;
    throw new UnimissError(error.code, error.what, { ...error.details, images: [] });
  }
}

/** Lines of CSV or TSV; empty ones are skipped. @throws UnimissError('data') */
export function delimitedLines(file: string, text: string, delimiter = ','): DelimitedLine[] {
  try {
    const options = { delimiter, info: true, trim: true, skip_empty_lines: true, relax_column_count: true } as const;
    const records = parseCsv(text, options) as unknown as { record: string[]; info: { lines: number } }[];
    return records.map(({ record, info }) => ({ line: info.lines, cells: record }));
  } catch (error) {
    const what = messageOf(error).replace(/, value is .*/s, ''); // values may name patients
    throw new UnimissError('data', `is not a valid table (${what})`, { place: file, cause: error });
  }
}
