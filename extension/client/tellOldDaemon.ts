import { commands, type Disposable, l10n, window } from 'vscode';
import { daemonStatus } from '../../protocol/daemon/messages.ts';
import type { Context } from '../context.ts';

/**
 * Notifies the user if the daemon is older than this extension: it was started before an update, and its files may be gone. It is
 * restarted only on request, since another window may have started it. Also notifies if an older daemon stays beside the present
 * one, for runs that the present one cannot control.
 */
export function tellOldDaemon({ daemon, extension, output }: Context): Disposable {
  const own: string = extension.extension.packageJSON.version;
  let told = false;
  const toldRetired = new Set<number>();
  return daemon.onDidChangeState((state) => {
    if (state.kind !== 'connected') return;
    if (!told && isOlder(state.version, own)) {
      told = true;
      offerRestart(state.version, own, state.control !== undefined);
    }
    daemon.request(daemonStatus, {}).then(
      ({ retired }) => {
        for (const { pid, version, runs } of retired) {
          if (toldRetired.has(pid)) continue;
          toldRetired.add(pid);
          void window.showInformationMessage(
            l10n.t(
              'An earlier background server of UniMiSS (version {0}, process {1}) stays until {2} of its version {3}. Your other runs are not affected.',
              version,
              pid,
              counted(runs.length),
              runs.length === 1 ? 'ends' : 'end',
            ),
          );
        }
      },
      (error) => output.warn(`Cannot list earlier background servers: ${error.message}`),
    );
  });
}

function offerRestart(version: string, own: string, outlived: boolean): void {
  const restart = l10n.t('Restart Background Server');
  const runs = outlived
    ? l10n.t('Its runs continue during a restart.')
    : l10n.t('On a restart, its runs save a checkpoint, stop and resume afterwards.');
  const message = l10n.t(
    'The background server of UniMiSS has version {0}, this extension has version {1}. {2}',
    version,
    own,
    runs,
  );
  window.showWarningMessage(message, restart).then((answer) => {
    if (answer === restart) void commands.executeCommand('unimiss.restartDaemon');
  });
}

const counted = (runs: number): string => (runs === 1 ? l10n.t('1 run') : l10n.t('{0} runs', runs));

function isOlder(version: string, than: string): boolean {
  return version.localeCompare(than, 'en', { numeric: true }) < 0;
}
