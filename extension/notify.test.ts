import { readdirSync, readFileSync } from 'node:fs';
import { expect, it, vi } from 'vitest';
import { notify } from './notify.ts';

const shown = vi.hoisted(() => [] as unknown[]);
vi.mock('vscode', () => {
  const show = async (...args: unknown[]) => {
    shown.push(args);
    return args[1];
  };
  return { window: { showInformationMessage: show, showWarningMessage: show, showErrorMessage: show } };
});

/** As the editor finds links in notifications (src/vs/base/common/linkedText.ts). */
const link = /\[([^\]]+)\]\(((?:https?:\/\/|command:|file:)[^)\s]+)(?: (["'])(.+?)(\3))?\)/;

it.each(['info', 'warning', 'error'] as const)('a name with a link is no link (%s)', async (kind) => {
  shown.length = 0;
  const name = '[Update](command:workbench.action.terminal.sendSequence?%5B%5D).nii';
  expect(link.test(name)).toBe(true);
  expect(await notify(kind, `${name}: cannot be read`, 'Show Log')).toBe('Show Log');
  expect(shown).toHaveLength(1);
  expect(link.test(String(shown[0]))).toBe(false);
  expect(String(shown[0])).toContain('[Update] (command:');
});

it('every notification of the extension comes this way; only questions, which have no links, are asked directly', () => {
  const files = readdirSync('extension', { recursive: true })
    .map(String)
    .filter((file) => file.endsWith('.ts') && !/\.test\.ts$|^notify\.ts$/.test(file));
  const direct = files.flatMap((file) => {
    const text = readFileSync(`extension/${file}`, 'utf8');
    return [...text.matchAll(/\.show(?:Information|Warning|Error)Message\b([\s\S]{0,300})/g)]
      .filter(([, what = '']) => !/^\([\s\S]*?modal: true/.test(what))
      .map(() => file);
  });
  expect(direct).toEqual([]);
});
