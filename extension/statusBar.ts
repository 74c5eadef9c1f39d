import { type Disposable, l10n, StatusBarAlignment, type StatusBarItem, ThemeColor, window } from 'vscode';
import { forEditor } from '../protocol/editorWords.ts';
import { parseAddress } from '../protocol/machines/address.ts';
import type { RunInfo } from '../protocol/runs/runInfo.ts';
import type { DaemonClient } from './client/daemonClient.ts';
import { NoDaemonHere } from './client/noDaemonHere.ts';
import { describeRun, inShort, isActive } from './runs/describeRun.ts';
import type { RunStore } from './runs/runStore.ts';

/** Shows the state of training briefly: the progress of one run, or the number of runs; and whether the daemon can be reached. */
export class StatusBar implements Disposable {
  private readonly item: StatusBarItem;
  private readonly subscriptions: Disposable[];

  constructor(
    private readonly daemon: DaemonClient,
    private readonly store: RunStore,
  ) {
    this.item = window.createStatusBarItem('unimiss.status', StatusBarAlignment.Left, 0);
    this.item.name = 'UniMiSS';
    this.subscriptions = [daemon.onDidChangeState(() => this.show()), store.onDidChange(() => this.show())];
    this.show();
  }

  dispose(): void {
    for (const one of [...this.subscriptions, this.item]) one.dispose();
  }

  private show(): void {
    const { state } = this.daemon;
    const active = this.store.runs.filter(isActive);
    this.item.command = 'unimiss.runs.focus';
    this.item.backgroundColor = undefined;
    switch (state.kind) {
      case 'idle':
        this.item.hide();
        return;
      case 'connecting':
        this.item.text = state.again ? l10n.t('$(sync~spin) UniMiSS: reconnecting') : l10n.t('$(sync~spin) UniMiSS');
        this.item.tooltip = state.again
          ? l10n.t('The connection to the background server was lost. Runs continue.')
          : l10n.t('Starting the background server');
        break;
      case 'failed':
        if (state.error instanceof NoDaemonHere) {
          this.item.text = shortOf(active, l10n.t('$(remote) UniMiSS'), (runs) =>
            l10n.t('$(remote) UniMiSS: {0}', runs),
          );
          this.item.tooltip = [
            l10n.t('No background server here: {0}. Other machines train.', state.error.what),
            ...runLines(active),
          ].join('\n');
          break;
        }
        this.item.text = l10n.t('$(error) UniMiSS: offline');
        this.item.tooltip = l10n.t('{0}\nClick to try again.', forEditor(state.error.message));
        this.item.command = 'unimiss.reconnect';
        this.item.backgroundColor = new ThemeColor('statusBarItem.errorBackground');
        break;
      case 'connected': {
        this.item.text = shortOf(active, l10n.t('$(pulse) UniMiSS'), (runs) => l10n.t('$(pulse) UniMiSS: {0}', runs));
        this.item.tooltip = [
          l10n.t('Background server {0}, process {1}', state.version, state.pid),
          ...runLines(active),
        ].join('\n');
      }
    }
    this.item.show();
  }
}

function shortOf(active: readonly RunInfo[], quiet: string, busy: (runs: string) => string): string {
  const runs = inShort(active);
  return runs === '' ? quiet : busy(runs);
}

function runLines(active: readonly RunInfo[]): string[] {
  if (active.length === 0) return [l10n.t('No run is training.')];
  return active.map((run) => {
    const { machine } = parseAddress(run.folder);
    const described = describeRun(run);
    return machine === undefined
      ? l10n.t('{0}: {1}', run.id, described)
      : l10n.t('{0} on {1}: {2}', run.id, machine, described);
  });
}
