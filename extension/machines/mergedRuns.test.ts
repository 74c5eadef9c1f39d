import { expect, it, vi } from 'vitest';
import type { MetricsMessage } from '../../protocol/metrics/page.ts';
import { EventEmitter } from '../../test/extension/vscode.ts';
import { MetricsStore } from '../../webviews/metrics/store.ts';

vi.mock('vscode', () => import('../../test/extension/vscode.ts'));

const { MergedRuns } = await import('./mergedRuns.ts');
const { metricsSubscribe, metricsUpdate } = await import('../../protocol/metrics/messages.ts');

/** A daemon whose messages the test sends; it numbers them by itself. */
class FakeDaemon {
  readonly connected = new EventEmitter<void>();
  readonly onDidConnect = this.connected.event;
  state: { kind: 'connected' | 'connecting' } = { kind: 'connected' };
  subscriptions: { runs: readonly string[]; tell: (message: MetricsMessage) => void; ended: boolean }[] = [];

  subscribe = async (
    _type: unknown,
    { runs, after }: { runs: readonly string[]; after?: unknown },
    _answered: unknown,
    _updates: unknown,
    updated: (update: never) => void,
  ) => {
    expect(after).toBeUndefined();
    const one = { runs, ended: false, tell: (message: MetricsMessage) => updated({ message } as never) };
    this.subscriptions.push(one);
    return {
      end: async () => {
        one.ended = true;
      },
    };
  };

  /** What it says to the newest subscription. */
  snapshot(...losses: number[]): void {
    const runs = (this.subscriptions.at(-1)?.runs ?? []).map((id) => ({
      ...{ id, name: 'chest', state: 'running' as const, series: [], events: [], previews: [] },
      ...{ steps: table(0, losses), epochs: { columns: {} } },
    }));
    this.subscriptions.at(-1)?.tell({ type: 'snapshot', sequence: 7, title: '', summary: [], runs });
  }

  append(run: string, step: number, loss: number): void {
    this.subscriptions.at(-1)?.tell({ type: 'append', sequence: 8, run, steps: table(step, [loss]) });
  }
}

const table = (from: number, losses: number[]) => ({
  columns: { step: losses.map((_, i) => from + i), loss: losses },
});

async function open() {
  const daemons = new Map([undefined, 'gpu1'].map((machine) => [machine, new FakeDaemon()] as const));
  const [here, there] = [daemons.get(undefined), daemons.get('gpu1')];
  if (!here || !there) throw new Error('no daemons');
  // The same folder on both machines.
  const merged = new MergedRuns(['/runs/a', 'unimiss://gpu1/runs/a'], (machine) => {
    const daemon = daemons.get(machine);
    if (!daemon) throw new Error('no daemon');
    return daemon;
  });
  const store = new MetricsStore();
  const applied: string[] = [];
  const subscribe = () =>
    merged.subscribe(
      metricsSubscribe,
      { runs: ['ignored'] },
      () => {},
      metricsUpdate,
      ({ message }) => applied.push(store.apply(message)),
    );
  const losses = () =>
    Object.fromEntries([...store.runs.values()].map(({ id, steps }) => [id, [...(steps.values('loss') ?? [])]]));
  return { here, there, merged, store, applied, subscribe, losses };
}

it('shows runs of two machines in one panel, each by its address and with its machine in its name', async () => {
  const { here, there, store, subscribe, losses, applied } = await open();
  await subscribe();
  expect(there.subscriptions[0]?.runs).toEqual(['/runs/a']);
  here.snapshot(5, 4);
  expect(store.runs.size).toBe(0);
  here.append('/runs/a', 2, 3); // while the other is awaited: it is not lost
  there.snapshot(9);
  expect(losses()).toEqual({ '/runs/a': [5, 4, 3], 'unimiss://gpu1/runs/a': [9] });
  expect([...store.runs.values()].map(({ name }) => name)).toEqual(['chest (this machine)', 'chest (gpu1)']);
  there.append('/runs/a', 1, 8);
  here.append('/runs/a', 3, 2);
  expect(losses()).toEqual({ '/runs/a': [5, 4, 3, 2], 'unimiss://gpu1/runs/a': [9, 8] });
  there.subscriptions.at(-1)?.tell({ type: 'remove', sequence: 9, run: '/runs/a' });
  expect(losses()).toEqual({ '/runs/a': [5, 4, 3, 2] });
  expect(new Set(applied)).toEqual(new Set(['changed']));
});

it('a new snapshot of one machine brings a new one of the other, since it replaces everything', async () => {
  const { here, there, subscribe, losses, applied } = await open();
  await subscribe();
  here.snapshot(5);
  there.snapshot(9);
  here.snapshot(5.5);
  expect(losses()).toEqual({ '/runs/a': [5], 'unimiss://gpu1/runs/a': [9] });
  await vi.waitFor(() => expect(there.subscriptions[0]?.ended).toBe(true));
  there.subscriptions[0]?.tell({ type: 'append', sequence: 8, run: '/runs/a', steps: table(1, [1]) }); // too late
  here.append('/runs/a', 1, 4);
  there.snapshot(9, 8);
  expect(losses()).toEqual({ '/runs/a': [5.5, 4], 'unimiss://gpu1/runs/a': [9, 8] });
  expect(new Set(applied)).toEqual(new Set(['changed']));
});

it('a machine that cannot be reached keeps nobody waiting, and is shown when it is there', async () => {
  const { here, there, merged, subscribe, losses } = await open();
  there.state = { kind: 'connecting' };
  const first = await subscribe();
  here.snapshot(5);
  expect(losses()).toEqual({ '/runs/a': [5] });
  let news = 0;
  merged.onDidConnect(() => news++);
  there.state = { kind: 'connected' };
  there.connected.fire();
  expect(news).toBe(1);
  await first.end();
  expect(here.subscriptions[0]?.ended).toBe(true);
  await subscribe();
  here.snapshot(5, 4);
  there.snapshot(9);
  expect(losses()).toEqual({ '/runs/a': [5, 4], 'unimiss://gpu1/runs/a': [9] });
});
