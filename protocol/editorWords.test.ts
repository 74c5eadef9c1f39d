import { expect, it } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import texts from '../package.nls.json' with { type: 'json' };
import { editorCommands, forEditor } from './editorWords.ts';

it('names only commands that the editor has', () => {
  const textOf = new Map(Object.entries(texts));
  const titles = manifest.contributes.commands.map(({ title }) => textOf.get(title.replaceAll('%', '')));
  expect(titles).toEqual(expect.arrayContaining(Object.values(editorCommands)));
});

it.each([
  ['Run `unimiss engine install --device cuda` (once).', 'Run "UniMiSS: Install TensorFlow…" (once).'],
  ['Run "unimiss engine doctor"; it helps.', 'Run "UniMiSS: Check Installation"; it helps.'],
  ['`unimiss runs` lists them.', 'The view Runs lists them.'],
  ['Gone. `unimiss runs --state queued` lists them.', 'Gone. The view Runs lists them.'],
  ['Start it: `unimiss resume chest-1`.', 'Start it: "UniMiSS: Resume Run…".'],
  ['set it to "cpu" (for `unimiss engine install`: `--device cpu`, `--allow-cpu`).', 'set it to "cpu".'],
  ['Run `unimiss daemon status`.', 'Run `unimiss daemon status`.'],
  ['nothing about "unimiss"', 'nothing about "unimiss"'],
])('%j is %j in the editor', (text, shown) => expect(forEditor(text)).toBe(shown));
