import { commands, type Disposable, window } from 'vscode';
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
            `An earlier background server of UniMiSS (version ${version}, process ${pid}) stays until ${counted(runs.length)} of its version ${runs.length === 1 ? 'ends' : 'end'}. Your other runs are not affected.`,
          );
        }
      },
      (error) => output.warn(`Cannot list earlier background servers: ${error.message}`),
    );
  });
}

function offerRestart(version: string, own: string, outlived: boolean): void {
  const restart = 'Restart Background Server';
  const runs = outlived
    ? 'Its runs continue during a restart.'
    : 'On a restart, its runs save a checkpoint, stop and resume afterwards.';
  const message = `The background server of UniMiSS has version ${version}, this extension has version ${own}. ${runs}`;
  window.showWarningMessage(message, restart).then((answer) => {
    if (answer === restart) void commands.executeCommand('unimiss.restartDaemon');
  });
}

const counted = (runs: number): string => (runs === 1 ? '1 run' : `${runs} runs`);

function isOlder(version: string, than: string): boolean {
  return version.localeCompare(than, 'en', { numeric: true }) < 0;
}
