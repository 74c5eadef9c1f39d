import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { messagesByTopic } from './messages.ts';
import { protocolReference } from './reference.ts';

it('docs/protocol.md is that of the present declarations', () => {
  expect(readFileSync('docs/protocol.md', 'utf8')).toBe(protocolReference());
});

it('names every message with its fields, in words', () => {
  const text = protocolReference();
  for (const { messages } of messagesByTopic)
    for (const { method, about } of messages) {
      expect(text).toContain(`### \`${method}\``);
      expect(text).toContain(about);
    }
  expect(text).toMatch(/\| `confirm` \| `true` \| Confirms that the user agreed\. \|/);
  expect(text).toMatch(/\| `ending\.lastWords` \| string \|/);
});
