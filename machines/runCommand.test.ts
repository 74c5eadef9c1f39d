import { expect, it } from 'vitest';
import { encodeCommand } from './runCommand.ts';

it('a command that is too long for a line is refused, with the files that make it so', () => {
  expect(encodeCommand({ args: ['runs'], files: {} })).toMatch(/^[A-Za-z0-9_-]+$/);
  const files = { 'a.jsonc': 'x'.repeat(50_000), 'b.jsonc': 'x'.repeat(50_000) };
  expect(() => encodeCommand({ args: ['pretrain', 'a.jsonc'], files })).toThrow(
    expect.objectContaining({ code: 'config', details: expect.objectContaining({ place: 'a.jsonc, b.jsonc' }) }),
  );
});
