import { idOf } from './files.ts';
import type { Dataset } from './unlabelled.ts';

/** Skipped files that the line names. */
const named = 3;

/**
 * One line about the files that a data set skips on purpose: how many of each kind, and the first of them by name:
 * `3 files were skipped: 2 text files (dataset.json, README.md), 1 hidden file (._a.png)`. Undefined if it skips none.
 * @param names false: only their number, because file names often hold patient numbers
 */
export function describeIgnored(
  { root, ignored }: Pick<Dataset, 'root' | 'ignored'>,
  names: boolean,
): string | undefined {
  if (ignored.length === 0) return undefined;
  const count = ignored.length === 1 ? '1 file was skipped' : `${ignored.length} files were skipped`;
  if (!names) return `${count}, because only images are used`;
  const kinds = new Map<string, string[]>();
  for (const { path, why } of ignored) kinds.set(why, [...(kinds.get(why) ?? []), idOf(root, path)]);
  let left = named;
  const parts = [...kinds].map(([why, paths]) => {
    const shown = paths.slice(0, left);
    left -= shown.length;
    const files = kindOf(why, paths.length);
    if (shown.length === 0) return files;
    const more = paths.length > shown.length ? [`${paths.length - shown.length} more`] : [];
    return `${files} (${[...shown, ...more].join(', ')})`;
  });
  return `${count}: ${parts.join(', ')}`;
}

/** `2 text files` of `is a text file`; `1 file that is the same as a.png` of a reason that names no kind. */
function kindOf(why: string, count: number): string {
  const plural = count === 1 ? '' : 's';
  if (why.startsWith('is hidden')) return `${count} hidden file${plural}`;
  const [, kind, rest = ''] = /^is an? (.*?file)(\b.*)?$/.exec(why) ?? [];
  if (kind !== undefined) return `${count} ${kind}${plural}${rest}`;
  return count === 1 ? `1 file that ${why}` : `${count} files of which each ${why}`;
}
