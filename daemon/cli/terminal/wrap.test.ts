import fc from 'fast-check';
import { expect, it } from 'vitest';
import { wrap } from './wrap.ts';

it('breaks between words, keeps the indent, and a number with its unit', () => {
  expect(wrap('short', 20)).toBe('short');
  expect(wrap('  Repair the file, or remove it.', 20)).toBe('  Repair the file,\n  or remove it.');
  expect(wrap('a spacing of 3×1×1 mm is assumed', 20)).toBe('a spacing of\n3×1×1 mm is assumed');
  expect(wrap('one\ntwo three four five six', 12)).toBe('one\ntwo three\nfour five\nsix');
});

it('changes nothing but breaks, and lines are only longer than the width where a word is', () => {
  const text = fc.array(fc.stringMatching(/^[a-z0-9/]{1,30}$/), { minLength: 1 }).map((words) => words.join(' '));
  fc.assert(
    fc.property(text, fc.integer({ min: 5, max: 80 }), (given, columns) => {
      const lines = wrap(given, columns).split('\n');
      expect(lines.join(' ')).toBe(given);
      for (const line of lines) if (line.length > columns) expect(line).not.toMatch(/[a-z/] /);
    }),
  );
});
