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

it('lists what a field may be one of below each other, not as if it had all of it', () => {
  const text = protocolReference();
  const [, ask = ''] = text.split('### `unimiss/images/ask`\n');
  const own = ask.slice(0, ask.indexOf('\n### '));
  expect(own).toContain('| `asked` | object, by `task` (below) |');
  expect(own).not.toContain('| `asked.given');
  expect(own).toContain('\n- `"range"`\n  - `given`: null\n');
  expect(own).toMatch(/\n- `"addLayer"`\n {2}- `given`: object\n {2}- `given\.path`: string\. Absolute\.\n/);
  for (const { messages } of messagesByTopic)
    for (const { method } of messages) {
      const [, section = ''] = text.split(`### \`${method}\`\n`);
      for (const table of section.slice(0, section.search(/\n##|$/)).split(/\n(?:Params|Answer):\n/)) {
        const names = [...table.matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name);
        expect(names, method).toEqual([...new Set(names)]);
      }
    }
});
