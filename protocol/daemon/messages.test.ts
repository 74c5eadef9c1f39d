import { describe, expect, it, vi } from 'vitest';
import { UnimissError } from '../errors.ts';
import * as exported from './messages.ts';
import { embed, messagesByTopic, metricsUpdate, ping, runDelete, runStart, runsChanged } from './messages.ts';
import { type Caller, call, listen, notify } from './rpc.ts';
import { fromWireError, rpcErrorCodes, toErrorData } from './wireError.ts';

const answering = (answer: unknown): Caller & { sent: unknown[][] } => {
  const sent: unknown[][] = [];
  return {
    sent,
    sendRequest: async (...all) => {
      sent.push(all);
      if (answer instanceof Error) throw answer;
      return answer;
    },
    sendNotification: async (...all) => void sent.push(all),
    onNotification: () => ({ dispose() {} }),
  };
};

describe('the declarations', () => {
  const all = messagesByTopic.flatMap(({ messages }) => messages);

  it('name each method once', () => {
    const methods = all.map((m) => m.method);
    expect(new Set(methods).size).toBe(methods.length);
    expect(methods).toContain('initialize');
  });

  it('are all in the reference', () => {
    const declared = Object.values(exported).filter((value) => Object.hasOwn(Object(value), 'method'));
    expect(new Set(all)).toEqual(new Set(declared));
  });

  it('keep to a namespace of their own but for the methods of LSP', () => {
    const lsp = /^(initialized?|shutdown|exit|\$\/progress|(textDocument|workspace|codeLens)\/[a-zA-Z]+)$/;
    for (const { method } of all) if (!lsp.test(method)) expect(method).toMatch(/^unimiss\/[a-z/]+$/);
  });
});

describe('call', () => {
  it('sends params with defaults filled in and hands back the checked answer', async () => {
    const connection = answering({ time: '2026-01-01T00:00:00.000Z', trainerMs: 3, newer: true });
    expect(await call(connection, ping, {})).toEqual({ time: '2026-01-01T00:00:00.000Z', trainerMs: 3 });
    expect(connection.sent).toEqual([['unimiss/ping', {}]]);
  });

  it('refuses params that are not as declared before they are sent', async () => {
    const connection = answering({});
    // @ts-expect-error: deleting requires a confirmation
    await expect(call(connection, runDelete, { run: 'a' })).rejects.toThrow(/unimiss\/runs\/delete: params.*confirm/s);
    expect(connection.sent).toEqual([]);
  });

  it('names the message and the field where an answer is not as declared', async () => {
    await expect(call(answering({ time: 'now' }), ping, {})).rejects.toThrow(/unimiss\/ping: answer.*time/s);
  });

  it('says of work that ended with the daemon what to do', async () => {
    const lost = answering(Object.assign(new Error('Pending response rejected'), { code: -32097 }));
    await expect(call(lost, embed, { run: 'a', out: '/features' })).rejects.toThrow(
      /its place in the queue, ended with/,
    );
    await expect(call(lost, ping, {})).rejects.toThrow(/ended before it answered\n.*Its runs continue/);
  });

  it('returns the error that the daemon threw', async () => {
    const thrown = new UnimissError('run', 'is being trained', {
      place: '/r/a',
      remedy: 'Stop it first.',
      images: ['a.nii'],
    });
    const wire = Object.assign(new Error('…'), { code: rpcErrorCodes.requestFailed, data: toErrorData(thrown) });
    const caught = await call(answering(wire), runStart, { run: 'a' }).catch((error) => error);
    expect(caught).toBeInstanceOf(UnimissError);
    expect({ message: caught.message, code: caught.code }).toEqual({ message: thrown.message, code: 'run' });
    expect(caught.details.images).toEqual(['a.nii']);
  });
});

describe('errors from elsewhere', () => {
  it('name the method; a cancelled request is "interrupted"', () => {
    expect(fromWireError(Object.assign(new Error('no'), { code: rpcErrorCodes.cancelled }), 'm').code).toBe(
      'interrupted',
    );
    expect(fromWireError(new Error('broken pipe'), 'm').message).toBe('m: broken pipe');
  });
});

describe('notifications', () => {
  it('that are not as declared reach nobody and are reported', () => {
    let handler: (params: unknown) => void = () => {};
    const connection = {
      ...answering({}),
      onNotification: (_: string, h: typeof handler) => {
        handler = h;
        return { dispose() {} };
      },
    };
    const good = vi.fn();
    const bad = vi.fn();
    listen(connection, runsChanged, good, bad);
    handler({ subscription: '1', runs: [], removed: ['/r/a'] });
    handler({ subscription: '1', runs: 7 });
    expect(good.mock.calls).toEqual([[{ subscription: '1', runs: [], removed: ['/r/a'] }]]);
    expect(bad.mock.calls[0]![0].message).toMatch(/unimiss\/runs\/changed: params.*runs/s);
  });

  it('pass messages to the metrics component unchanged', async () => {
    const connection = answering({});
    const message = { type: 'remove' as const, sequence: 3, run: 'a' };
    await notify(connection, metricsUpdate, { subscription: '1', message, positions: {} });
    expect(connection.sent).toEqual([['unimiss/metrics/update', { subscription: '1', message, positions: {} }]]);
  });
});
