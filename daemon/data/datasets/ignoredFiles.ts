import { idOf } from './files.ts';
import type { Dataset } from './unlabelled.ts';

/** Skipped files that the line names. */
const named = 3;

/**
 * One line about the files that a data set skips on purpose: their number and the first of them with the reason. Undefined if it
 * skips none.
 * @param names false: only their number, because file names often hold patient numbers
 */
export function describeIgnored(
  { root, ignored }: Pick<Dataset, 'root' | 'ignored'>,
  names: boolean,
): string | undefined {
  if (ignored.length === 0) return undefined;
  const count = ignored.length === 1 ? '1 file was skipped' : `${ignored.length} files were skipped`;
  if (!names) return `${count}, because only images are used`;
  const first = ignored.slice(0, named).map(({ path, why }) => `${idOf(root, path)} ${why}`);
  const more = ignored.length > named ? [`and ${ignored.length - named} more`] : [];
  return `${count}: ${[...first, ...more].join('; ')}`;
}
