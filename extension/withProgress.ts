import { type CancellationToken, ProgressLocation, window } from 'vscode';
import {
  WorkDoneProgress,
  type WorkDoneProgressBegin,
  type WorkDoneProgressEnd,
  type WorkDoneProgressReport,
} from 'vscode-languageclient/node';
import type { DaemonClient } from './client/daemonClient.ts';

let lastToken = 0;

/**
 * Asks the daemon for something long, with its progress in a notification that can be cancelled. Throws UnimissError 'interrupted'
 * if it was.
 * @param ask sends the request with this token
 */
export async function withProgress<R>(
  daemon: Pick<DaemonClient, 'languageClient'>,
  title: string,
  ask: (workDoneToken: string, cancelled: CancellationToken) => Promise<R>,
): Promise<R> {
  const client = await daemon.languageClient();
  return window.withProgress(
    { location: ProgressLocation.Notification, title, cancellable: true },
    async (progress, cancelled) => {
      const token = `editor-${process.pid}-${++lastToken}`;
      let shown = 0;
      const report = (value: WorkDoneProgressBegin | WorkDoneProgressReport | WorkDoneProgressEnd) => {
        const percentage = value.kind === 'end' ? 100 : (value.percentage ?? shown);
        progress.report({ message: value.message, increment: Math.max(0, percentage - shown) });
        shown = Math.max(shown, percentage);
      };
      const listening = client.onProgress(WorkDoneProgress.type, token, report);
      try {
        return await ask(token, cancelled);
      } finally {
        listening.dispose();
      }
    },
  );
}
