import { expect, test } from 'vitest';
// @ts-expect-error a script without types
import { putBetweenMarks } from './marks.mjs';

const text = 'before\n<!-- bench: begin -->\nold\n<!-- bench: end -->\nafter\n';

test('the part between two marks is replaced, and nothing else', () => {
  const replaced = putBetweenMarks(text, { file: 'page.md', mark: 'bench', part: 'new' });
  expect(replaced).toBe(text.replace('old', 'new'));
});

test.each([
  ['no mark', 'bench pjrt:rocm', text],
  ['no end', 'bench', text.replace('<!-- bench: end -->', '')],
  ['the end first', 'bench', text.replaceAll('begin', 'x').replaceAll('end', 'begin').replaceAll('x', 'end')],
])('a page with %s is refused', (_, mark, page) => {
  expect(() => putBetweenMarks(page, { file: 'page.md', mark, part: 'new' })).toThrow(
    `page.md lacks <!-- ${mark}: begin --> and <!-- ${mark}: end -->`,
  );
});
