import { expect, it } from 'vitest';
import { logAppended, metricsUpdate } from '../../protocol/daemon/messages.ts';
import type { Caller } from '../../protocol/daemon/rpc.ts';
import { Subscriptions } from './subscriptions.ts';

/** A connection whose notifications are sent by the test. */
function fakeConnection() {
  const handlers = new Map<string, (params: unknown) => void>();
  const connection: Caller = {
    sendRequest: async () => undefined,
    sendNotification: async () => {},
    onNotification(method, handler) {
      handlers.set(method, handler);
      return { dispose: () => handlers.delete(method) };
    },
  };
  const append = (subscription: string, text: string) =>
    handlers.get(logAppended.method)!({ subscription, text, offset: text.length });
  return { connection, append, handlers };
}

it('passes on what comes before the answer, after the answer and in order', async () => {
  const { connection, append } = fakeConnection();
  const subscriptions = new Subscriptions(connection, () => {});
  const seen: string[] = [];
  let answer!: (value: { subscription: string }) => void;
  const added = subscriptions.add(
    logAppended,
    () =>
      new Promise<{ subscription: string }>((resolve) => {
        answer = resolve;
      }),
    () => seen.push('answer'),
    ({ text }) => seen.push(text),
  );
  append('a', 'first');
  append('other', 'not mine');
  append('a', 'second');
  answer({ subscription: 'a' });
  await added;
  append('a', 'third');
  expect(seen).toEqual(['answer', 'first', 'second', 'third']);
});

it('passes on nothing after the end, and nothing of others', async () => {
  const { connection, append } = fakeConnection();
  const subscriptions = new Subscriptions(connection, () => {});
  const seen: string[] = [];
  const subscribe = (id: string) =>
    subscriptions.add(
      logAppended,
      async () => ({ subscription: id }),
      () => {},
      ({ text }) => seen.push(`${id}: ${text}`),
    );
  const a = await subscribe('a');
  await subscribe('b');
  append('a', '1');
  append('b', '2');
  a.dispose();
  append('a', '3');
  append('unknown', '4');
  expect(seen).toEqual(['a: 1', 'b: 2']);
});

it('a refused subscription leaves nothing behind', async () => {
  const { connection, append } = fakeConnection();
  const subscriptions = new Subscriptions(connection, () => {});
  const refused = subscriptions.add(
    logAppended,
    async () => {
      throw new Error('no such run');
    },
    () => {},
    () => {},
  );
  await expect(refused).rejects.toThrow('no such run');
  append('late', 'kept for nobody');
  const seen: string[] = [];
  await subscriptions.add(
    logAppended,
    async () => ({ subscription: 'late' }),
    () => {},
    ({ text }) => seen.push(text),
  );
  expect(seen).toEqual([]);
});

it('reports a notification that is not as declared', () => {
  const { connection, handlers } = fakeConnection();
  const invalid: string[] = [];
  new Subscriptions(connection, (error) => invalid.push(error.message));
  handlers.get(metricsUpdate.method)!({ subscription: 'a', message: { type: 'unheard of' }, positions: {} });
  expect(invalid).toHaveLength(1);
  expect(invalid[0]).toContain('unimiss/metrics/update');
});
