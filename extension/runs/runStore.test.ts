import { expect, it, vi } from 'vitest';
import { EventEmitter } from '../../test/extension/vscode.ts';
import type { DaemonClient } from '../client/daemonClient.ts';

vi.mock('vscode', () => import('../../test/extension/vscode.ts'));

const { RunStore } = await import('./runStore.ts');

/** A daemon that refuses `runs/watch` this many times. */
function fakeDaemon(refusals: number) {
  const connected = new EventEmitter<void>();
  let isConnected = false;
  let asked = 0;
  const daemon = {
    onDidConnect: connected.event,
    async connect() {
      if (isConnected) return;
      isConnected = true;
      connected.fire();
    },
    async subscribe(_type: unknown, _params: unknown, answered: (answer: unknown) => void) {
      if (++asked <= refusals) throw new Error('of another version');
      answered({ runs: [], problems: [], subscription: '1' });
    },
  } as unknown as DaemonClient;
  return { daemon, asked: () => asked };
}

it('load rejects if the daemon refuses to list its runs, and asks again at the next call', async () => {
  const { daemon, asked } = fakeDaemon(1);
  const failures: unknown[] = [];
  const store = new RunStore(daemon, (error) => failures.push(error));
  await expect(store.load()).rejects.toThrow('of another version');
  expect(failures).toHaveLength(1);
  expect(store.known).toBe(false);
  await store.load();
  expect(store.known).toBe(true);
  expect(asked()).toBe(2);
});

it('load asks once, however many call it', async () => {
  const { daemon, asked } = fakeDaemon(0);
  const store = new RunStore(daemon, (error) => expect.unreachable(String(error)));
  await Promise.all([store.load(), store.load()]);
  await store.load();
  expect(asked()).toBe(1);
});
