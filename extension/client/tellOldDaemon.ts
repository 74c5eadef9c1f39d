import { commands, type Disposable, l10n } from 'vscode';
import { daemonStatus } from '../../protocol/daemon/messages.ts';
import type { Context } from '../context.ts';
import { notify } from '../notify.ts';
import { showError } from '../showError.ts';
import type { ConnectionState, DaemonClient } from './daemonClient.ts';

/**
 * Notifies the user if a daemon, here or on another machine, is older than this extension: it was started before an update, and its
 * files may be gone. It is restarted only on request, since another window may have started it. Also notifies if an older daemon stays
 * beside the present one, for runs that the present one cannot control.
 */
export function tellOldDaemon(ctx: Context): Disposable {
  const here = new Teller(ctx, ctx.daemon, undefined, () =>
    Promise.resolve(commands.executeCommand('unimiss.restartDaemon')),
  );
  const watching = ctx.daemon.onDidChangeState((state) => here.tell(state));
  const there = new Map<string, Teller>();
  const connected = ctx.machines.onDidConnect((host) => {
    const client = ctx.machines.clientOf(host);
    const teller = there.get(host) ?? new Teller(ctx, client, host, () => client.restart());
    there.set(host, teller);
    teller.tell(client.state);
  });
  return {
    dispose: () => {
      watching.dispose();
      connected.dispose();
    },
  };
}

/** Tells what is to be told of one machine's daemons, once. */
class Teller {
  private told = false;
  private readonly toldRetired = new Set<number>();

  constructor(
    private readonly ctx: Pick<Context, 'extension' | 'output'>,
    private readonly daemon: Pick<DaemonClient, 'request'>,
    private readonly machine: string | undefined,
    private readonly restart: () => Promise<unknown>,
  ) {}

  tell(state: ConnectionState): void {
    if (state.kind !== 'connected') return;
    const { extension, output } = this.ctx;
    const own: string = extension.extension.packageJSON.version;
    if (!this.told && isOlder(state.version, own)) {
      this.told = true;
      this.offerRestart(state.version, own, state.control !== undefined);
    }
    this.daemon.request(daemonStatus, {}).then(
      ({ retired }) => {
        for (const { pid, version, runs } of retired) {
          if (this.toldRetired.has(pid)) continue;
          this.toldRetired.add(pid);
          void notify('info', stays({ pid, version, runs: runs.length }, this.machine));
        }
      },
      (error) => output.warn(`Cannot list earlier background servers: ${error.message}`),
    );
  }

  private offerRestart(version: string, own: string, outlived: boolean): void {
    const restart = l10n.t('Restart Background Server');
    notify('warning', isOld(version, own, outlived, this.machine), restart).then((answer) => {
      if (answer === restart) this.restart().catch((error: unknown) => showError(error, this.ctx.output));
    });
  }
}

/** An earlier daemon stays beside the present one. @param machine undefined: this one */
export function stays(
  { pid, version, runs }: { pid: number; version: string; runs: number },
  machine: string | undefined,
): string {
  if (machine === undefined)
    return runs === 1
      ? l10n.t(
          'An earlier background server of UniMiSS (version {0}, process {1}) stays until 1 run of its version ends. Your other runs are not affected.',
          version,
          pid,
        )
      : l10n.t(
          'An earlier background server of UniMiSS (version {0}, process {1}) stays until {2} runs of its version end. Your other runs are not affected.',
          version,
          pid,
          runs,
        );
  return runs === 1
    ? l10n.t(
        'An earlier background server of UniMiSS on {0} (version {1}, process {2}) stays until 1 run of its version ends. Your other runs are not affected.',
        machine,
        version,
        pid,
      )
    : l10n.t(
        'An earlier background server of UniMiSS on {0} (version {1}, process {2}) stays until {3} runs of its version end. Your other runs are not affected.',
        machine,
        version,
        pid,
        runs,
      );
}

/** @param outlived whether its runs go on without it */
export function isOld(version: string, own: string, outlived: boolean, machine: string | undefined): string {
  const runs = outlived
    ? l10n.t('Its runs continue during a restart.')
    : l10n.t('On a restart, its runs save a checkpoint, stop and resume afterwards.');
  const versions =
    machine === undefined
      ? l10n.t('The background server of UniMiSS has version {0}, this extension has version {1}.', version, own)
      : l10n.t(
          'The background server of UniMiSS on {0} has version {1}, this extension has version {2}.',
          machine,
          version,
          own,
        );
  return `${versions} ${runs}`;
}

function isOlder(version: string, than: string): boolean {
  return version.localeCompare(than, 'en', { numeric: true }) < 0;
}
