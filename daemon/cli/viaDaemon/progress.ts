import { randomUUID } from 'node:crypto';
import { CancellationTokenSource } from 'vscode-jsonrpc/node.js';
import { progressNotification } from '../../../protocol/daemon/lifecycleMessages.ts';
import type { DaemonConnection } from '../../client/daemonConnection.ts';
import { onInterrupt } from '../terminal/interrupt.ts';
import type { Reporter } from '../terminal/reporter.ts';

/**
 * Sends a long-running request to the daemon, shows its progress, and cancels it on Ctrl-C.
 * @param ask receives the `workDoneToken` and a cancellation token
 */
export async function withProgress<R>(
  client: DaemonConnection,
  reporter: Reporter,
  ask: (workDoneToken: string, cancel: unknown) => Promise<R>,
): Promise<R> {
  const token = randomUUID();
  const cancel = new CancellationTokenSource();
  let shown = '';
  const interrupt = onInterrupt(
    () => {
      reporter.notice('Cancelling. Press Ctrl-C again to exit without waiting.');
      cancel.cancel();
    },
    () => 'This command no longer waits. The background server cancels the work.',
  );
  const listening = client.listen(progressNotification, ({ token: of, value }) => {
    if (of !== token || value.kind !== 'report') return;
    const share = value.percentage === undefined ? '' : ` (${Math.floor(value.percentage)} %)`;
    shown = `${value.message ?? ''}${share}`;
    reporter.progress(shown);
  });
  try {
    const answer = await ask(token, cancel.token);
    if (shown) reporter.progress(shown, true);
    return answer;
  } finally {
    interrupt.dispose();
    listening.dispose();
    cancel.dispose();
  }
}
