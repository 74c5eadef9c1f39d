// Parts of Markdown files that a script writes: what stands between `<!-- NAME: begin -->` and `<!-- NAME: end -->`.

/**
 * Replaces what stands between two marks.
 * @param file for the error
 * @throws Error if a mark is missing: call it with any part before a long measurement
 */
export function putBetweenMarks(text, { file, mark, part }) {
  const [begin, end] = [`<!-- ${mark}: begin -->`, `<!-- ${mark}: end -->`];
  const [head, tail] = [text.indexOf(begin), text.indexOf(end)];
  if (head < 0 || tail < head) throw new Error(`${file} lacks ${begin} and ${end}`);
  return `${text.slice(0, head + begin.length)}\n${part}\n${text.slice(tail)}`;
}
