import { expect, it, vi } from 'vitest';
import type { RunDetails } from '../../protocol/runs/detailsMessages.ts';
import type { RunInfo } from '../../protocol/runs/runInfo.ts';
import { EventEmitter } from '../../test/extension/vscode.ts';
import type { DaemonClient } from '../client/daemonClient.ts';
import type { RunChange, RunStore } from './runStore.ts';
import type { Element } from './tree/elements.ts';

vi.mock('vscode', () => import('../../test/extension/vscode.ts'));
vi.useFakeTimers();

const { RunsView } = await import('./runsView.ts');

const run = (name: string, more: Partial<RunInfo> = {}): RunInfo => ({
  ...{ id: name, folder: `/runs/${name}`, task: 'pretrain', name, state: 'finished', preset: 'nano' },
  ...{ created: '2026-11-23T10:10:10.000Z', epoch: 1, epochs: 2, step: 1, loss: 1, losses: {} },
  ...{ updated: '2026-11-23T10:10:10.000Z', from: null, score: null, activity: null, owner: null, stage: null },
  ...{ progress: null, queue: null, devices: ['cpu'], ending: null },
  ...more,
});

const checkpoint = (step: number) => ({
  ...{ file: `/runs/a/checkpoints/step-${step}.safetensors`, step, bytes: 1 },
  ...{ score: null, best: false, pinned: false },
});

/** A view of two finished runs, with every row that the editor has asked for. */
async function drawn(steps: number[]) {
  const changes = new EventEmitter<RunChange>();
  const runs = [run('a'), run('b')];
  const details: RunDetails = {
    ...{ config: '/runs/a/config.resolved.json', log: '/runs/a/log.txt' },
    ...{ warnings: [], warningCount: 0, evaluations: [] },
    checkpoints: steps.map(checkpoint),
  };
  const store = {
    ...{ runs, problems: [], known: true, onDidChange: changes.event },
    get: (folder: string) => runs.find((one) => one.folder === folder),
  } as unknown as RunStore;
  const daemon = {
    state: { kind: 'connected' },
    onDidChangeState: new EventEmitter<void>().event,
    request: async () => ({ ...details }),
  } as unknown as DaemonClient;
  const view = new RunsView({ selection: [] }, store, daemon, (error) => expect.unreachable(String(error)));
  const redrawn: (Element | undefined)[] = [];
  view.onDidChangeTreeData((element) => redrawn.push(element));
  const draw = async (parent?: Element): Promise<Element[]> => {
    const rows = await view.getChildren(parent);
    for (const row of rows) view.getTreeItem(row);
    return [...rows, ...(await Promise.all(rows.map(draw))).flat()];
  };
  return { runs, details, changes, view, redrawn, rows: await draw(), draw };
}

const settle = () => vi.advanceTimersByTime(1000);

it('draws only rows again that show something new: meanwhile, a menu finds no row below them', async () => {
  const { runs, changes, view, redrawn } = await drawn([10]);
  changes.fire({ before: new Map(), folders: undefined });
  settle();
  expect(redrawn).toEqual([]);
  runs[1] = run('b', { name: 'renamed' });
  changes.fire({ before: new Map(), folders: undefined });
  settle();
  expect(redrawn).toEqual([{ kind: 'run', folder: '/runs/b' }]);
  view.refresh('/runs/a');
  settle();
  expect(redrawn).toHaveLength(2);
});

it('a row is the same checkpoint when a newer one has come', async () => {
  const { details, view, rows, draw } = await drawn([20, 10]);
  const older = rows.find((row) => view.checkpoint(row)?.step === 10);
  details.checkpoints = [30, 20, 10].map(checkpoint);
  view.refresh('/runs/a');
  const now = await draw();
  expect(now).toContain(older);
  expect(view.checkpoint(older)?.step).toBe(10);
});

it('the row of a checkpoint that is gone stands for no other one', async () => {
  const { details, view, rows, draw } = await drawn([20, 10]);
  const isOlder = (row: Element) => 'key' in row && row.key === 10;
  const older = rows.find(isOlder);
  details.checkpoints = [20].map(checkpoint);
  view.refresh('/runs/a');
  await draw();
  expect(() => view.checkpoint(older)).toThrow('a: the checkpoint of step 10 no longer exists');
  expect(view.checkpoint(rows[0])).toBeUndefined();
});
