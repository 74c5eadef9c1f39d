import { expect, it, vi } from 'vitest';
import type { WebviewPanel } from 'vscode';
import type { metricsUpdate, Position } from '../../protocol/daemon/messages.ts';
import type { CheckedParamsOf } from '../../protocol/daemon/rpc.ts';
import type { MetricsMessage } from '../../protocol/metrics/page.ts';
import { EventEmitter, Uri } from '../../test/extension/vscode.ts';
import type { DaemonClient } from '../client/daemonClient.ts';

vi.mock('vscode', () => import('../../test/extension/vscode.ts'));

const { MetricsPanel } = await import('./metricsPanel.ts');

type Update = CheckedParamsOf<typeof metricsUpdate>;

/** A panel of two runs, the daemon that it asks, and its page. */
function openPanel() {
  const connected = new EventEmitter<void>();
  const fromPage = new EventEmitter<unknown>();
  const asked: { after?: { sequence: number; positions: Record<string, Position> } }[] = [];
  const failures: unknown[] = [];
  const acted: unknown[] = [];
  const posted: MetricsMessage[] = [];
  let update: (update: Update) => void = () => {};
  const daemon = {
    onDidConnect: connected.event,
    subscribe(
      _type: unknown,
      params: (typeof asked)[number],
      _answered: unknown,
      _updates: unknown,
      updated: typeof update,
    ) {
      asked.push(params);
      update = updated;
      return Promise.resolve({ end: async () => {} });
    },
  };
  const webview = {
    onDidReceiveMessage: fromPage.event,
    postMessage: async (message: MetricsMessage) => posted.push(message),
  };
  const panel = {
    ...{ webview, visible: true, title: '' },
    onDidChangeViewState: new EventEmitter<unknown>().event,
    onDidDispose: new EventEmitter<void>().event,
  };
  new MetricsPanel(
    panel as unknown as WebviewPanel,
    daemon as unknown as DaemonClient,
    ['/runs/a', '/runs/b'],
    { extensionUri: Uri.file('/extension') as never, assets: { script: '', style: '' } },
    { failed: (error) => failures.push(error), act: (request) => acted.push(request), closed: () => {} },
  );
  const tell = (message: MetricsMessage, positions: Record<string, Position>) =>
    update({ subscription: '1', message, positions });
  return {
    acted,
    asked,
    failures,
    posted,
    tell,
    say: (message: unknown) => fromPage.fire(message),
    lose: () => connected.fire(),
  };
}

const at = (records: number): Position => ({ generation: 'g', records });
const snapshot: MetricsMessage = { type: 'snapshot', sequence: 1, title: '', summary: [], runs: [] };

it('after a lost connection, asks for what was missed of every run, not only of the latest one', () => {
  const { asked, tell, say, lose } = openPanel();
  say({ type: 'ready' });
  tell(snapshot, { '/runs/a': at(10), '/runs/b': at(20) });
  tell({ type: 'append', sequence: 2, run: '/runs/a' }, { '/runs/a': at(11) });
  tell({ type: 'append', sequence: 3, run: '/runs/b' }, { '/runs/b': at(22) });
  lose();
  expect(asked.at(-1)?.after).toEqual({ sequence: 3, positions: { '/runs/a': at(11), '/runs/b': at(22) } });
});

it('forgets the position of a run that is gone, and all of them with a new snapshot', () => {
  const { asked, tell, say, lose } = openPanel();
  say({ type: 'ready' });
  tell(snapshot, { '/runs/a': at(10), '/runs/b': at(20) });
  tell({ type: 'remove', sequence: 2, run: '/runs/b' }, {});
  lose();
  expect(asked.at(-1)?.after).toEqual({ sequence: 2, positions: { '/runs/a': at(10) } });
  tell({ ...snapshot, sequence: 3 }, { '/runs/b': at(1) });
  lose();
  expect(asked.at(-1)?.after).toEqual({ sequence: 3, positions: { '/runs/b': at(1) } });
});

it.each([undefined, null, 'ready', { type: 'delete' }, { type: 'resend', after: 'x' }])(
  'reports a message of the page that is not declared, and does nothing: %j',
  (message) => {
    const { asked, failures, posted, say, tell } = openPanel();
    tell(snapshot, {});
    say(message);
    expect(failures).toMatchObject([{ code: 'internal' }]);
    expect([asked.length, posted.length]).toEqual([1, 0]);
    say({ type: 'ready' });
    expect(posted).toEqual([snapshot]);
  },
);

it('does what a page asks for about its own runs only', () => {
  const { acted, failures, say } = openPanel();
  const own = [
    { type: 'act', run: '/runs/a', action: 'cancel' },
    { type: 'openImage', run: '/runs/b', image: 'ct/1.nii' },
  ];
  for (const message of own) say(message);
  say({ type: 'act', run: '/runs/other', action: 'cancel' });
  expect(acted).toEqual(own);
  say({ type: 'act', run: '/runs/a', action: 'delete' });
  expect(failures).toMatchObject([{ code: 'internal' }]);
});
