import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import english from '../package.nls.json' with { type: 'json' };
import { findTexts } from '../scripts/l10nStrings.mjs';

const { translated, bare } = findTexts();

it('every text of the extension that users read can be translated', () => {
  expect(bare).toEqual([]);
  expect(translated.length).toBeGreaterThan(300);
});

it('the list for translators has them all', () => {
  const listed = JSON.parse(readFileSync('l10n/bundle.l10n.json', 'utf8'));
  // Written by `npm run docs`.
  expect(listed).toEqual(Object.fromEntries(translated.map((text) => [text, text])));
  expect(manifest.l10n).toBe('./l10n');
});

/** Properties of package.json that users read. */
const read = /^(title|displayName|description|markdownDescription|name|contents|contextualTitle|label)$/;
/** Nobody translates a name; and what is not contributed is read by npm. */
const names = ['UniMiSS', 'unimiss'];

function* texts(node: unknown, key = '', inside = ''): Generator<string> {
  if (typeof node === 'string') {
    if (read.test(key) || inside === 'enumDescriptions') yield node;
  } else if (Array.isArray(node)) for (const one of node) yield* texts(one, '', key);
  else if (typeof node === 'object' && node !== null)
    for (const [name, one] of Object.entries(node)) yield* texts(one, name, key);
}

it('so can every text of package.json', () => {
  const { contributes, capabilities } = manifest;
  const all = [...texts({ contributes, capabilities })].filter((text) => !names.includes(text));
  expect(all.filter((text) => !/^%[\w.-]+%$/.test(text))).toEqual([]);
  const keys = all.map((text) => text.slice(1, -1));
  expect([...new Set(keys)].sort()).toEqual(Object.keys(english).sort());
});
