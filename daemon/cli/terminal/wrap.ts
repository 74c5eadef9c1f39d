/** Spaces at which a line must not break: between a number and its unit, and before dots and dashes between parts. */
const held =
  /(?<=\d) (?=(?:%|[kMGT]i?B|B|ms|s|min|h|days?|mm|HU|pixels?|voxels?|epochs?|steps?|images?|volumes?|runs?|files?)(?![\w]))/g;
/** Stands for such a space while lines are broken. */
const glue = '\u0000';

/**
 * Breaks lines between words so that they fit a width; a word that is longer stays whole. Lines that follow a break are indented
 * like the line itself.
 */
export function wrap(text: string, columns: number): string {
  return text
    .split('\n')
    .map((line) => wrapLine(line, columns))
    .join('\n');
}

function wrapLine(line: string, columns: number): string {
  if (line.length <= columns) return line;
  const [indent = ''] = /^ */.exec(line) ?? [];
  const lines: string[] = [];
  let current = '';
  for (const word of line.trimStart().replaceAll(held, glue).split(' ')) {
    if (current !== '' && indent.length + current.length + 1 + word.length > columns) {
      lines.push(current);
      current = word;
    } else current = current === '' ? word : `${current} ${word}`;
  }
  return [...lines, current].map((part) => `${indent}${part.replaceAll(glue, ' ')}`).join('\n');
}
