import { expect, it, vi } from 'vitest';

vi.mock('vscode', () => import('../../test/extension/vscode.ts'));

const { requireRow } = await import('./requireRow.ts');

const row = { folder: '/runs/a' };

it.each([
  ['the palette', []],
  ['a title of a view', [undefined]],
  ['a title of an editor', [undefined, { groupId: 1 }]],
  ['a row', [row, undefined]],
  ['several rows', [row, [row, row]]],
])('a command of %s goes on', (_, args: unknown[]) => {
  expect(() => requireRow(args)).not.toThrow();
});

it.each([
  ['alone', [undefined, undefined]],
  ['among others', [undefined, [undefined, row]]],
])('a command of a row that was drawn anew, %s, says so', (_, args: unknown[]) => {
  expect(() => requireRow(args)).toThrow(/The row changed.*so nothing was done\s+Choose the command again\./);
});
