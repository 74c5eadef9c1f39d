import { type Disposable, l10n, type OutputChannel, window } from 'vscode';
import { logAppended, logFollow } from '../../protocol/daemon/messages.ts';
import { parseAddress } from '../../protocol/machines/address.ts';
import type { RunInfo } from '../../protocol/runs/runInfo.ts';
import type { RoutedDaemon } from '../machines/routedDaemon.ts';

interface Followed {
  channel: OutputChannel;
  /** Bytes of the log that the channel has; undefined at first. */
  offset: number | undefined;
}

/** The logs of runs. An output channel follows each log, even after a lost connection. */
export class RunLogs implements Disposable {
  private readonly followed = new Map<string, Followed>();
  private readonly connected: Disposable;

  constructor(
    private readonly daemon: RoutedDaemon,
    private readonly failed: (error: unknown) => void,
  ) {
    this.connected = daemon.onDidConnectTo((machine) => {
      for (const folder of this.followed.keys())
        if (parseAddress(folder).machine === machine) this.follow(folder).catch(this.failed);
    });
  }

  async show(run: RunInfo): Promise<void> {
    const known = this.followed.get(run.folder);
    if (known) return known.channel.show();
    const channel = window.createOutputChannel(l10n.t('UniMiSS: {0}', run.id), 'log');
    this.followed.set(run.folder, { channel, offset: undefined });
    channel.show();
    await this.follow(run.folder);
  }

  dispose(): void {
    this.connected.dispose();
    for (const { channel } of this.followed.values()) channel.dispose();
    this.followed.clear();
  }

  private async follow(folder: string): Promise<void> {
    const log = this.followed.get(folder)!;
    await this.daemon.subscribe(
      logFollow,
      { run: folder, after: log.offset },
      () => {},
      logAppended,
      ({ text, offset }) => {
        log.channel.append(text);
        log.offset = offset;
      },
    );
  }
}
