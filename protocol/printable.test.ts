import fc from 'fast-check';
import { expect, test } from 'vitest';
import { printable, printableJson } from './printable.ts';

test('commands to a terminal become visible, texts stay', () => {
  expect(printable('a\x1b]0;title\x07b\r\x7f\x9b2J\u202e.png')).toBe(
    'a\\x1b]0;title\\x07b\\x0d\\x7f\\x9b2J\\u202e.png',
  );
  expect(printable('Röntgen\t胸部 🫁\nzweite Zeile')).toBe('Röntgen\t胸部 🫁\nzweite Zeile');
});

test('JSON says the same and holds no command', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const json = printableJson({ text });
      expect(JSON.parse(json)).toEqual({ text });
      expect(json).toBe(printable(json));
    }),
  );
});
