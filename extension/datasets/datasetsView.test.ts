import { expect, it, vi } from 'vitest';
import { EventEmitter } from '../../test/extension/vscode.ts';
import type { DataSet, Look } from './datasetStore.ts';
import type { DataRow } from './datasetsView.ts';

vi.mock('vscode', async () => {
  const vscode = await import('../../test/extension/vscode.ts');
  const onDidGrantWorkspaceTrust = () => ({ dispose() {} });
  return { ...vscode, workspace: { ...vscode.workspace, isTrusted: true, onDidGrantWorkspaceTrust } };
});

const { DatasetsView } = await import('./datasetsView.ts');
const { idOf } = await import('./datasetStore.ts');

it('a file that is two data sets has two rows, and only the one that was looked at is drawn again', async () => {
  const sets = (['labelled', 'manifest'] as const).map(
    (kind): DataSet => ({ path: '/a/list.csv', kind, added: false }),
  );
  const looked = new EventEmitter<string | undefined>();
  const look = ({ kind }: DataSet): Look => ({ state: 'known', about: `as ${kind}`, findings: [] });
  const view = new DatasetsView({ list: async () => sets, look, onDidChange: looked.event } as never, '');
  const rows = await view.getChildren();
  const items = rows.map((row) => view.getTreeItem(row));
  expect(items.map(({ description }) => description)).toEqual(['as labelled', 'as manifest']);
  expect(new Set(items.map(({ id }) => id)).size).toBe(2);
  const drawn: (DataRow | undefined)[] = [];
  view.onDidChangeTreeData((row) => drawn.push(row));
  for (const set of sets) looked.fire(idOf(set));
  expect(drawn).toEqual(rows);
  view.dispose();
});
