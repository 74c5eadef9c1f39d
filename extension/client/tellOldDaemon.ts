import { commands, type Disposable, window } from 'vscode';
import type { Context } from '../context.ts';

/**
 * Says when the daemon is older than this extension: it was started before an update, whose old files may be gone. It is
 * restarted only on request, since another window may have started it and runs would stop for a moment.
 */
export function tellOldDaemon({ daemon, extension }: Context): Disposable {
  const own: string = extension.extension.packageJSON.version;
  let told = false;
  return daemon.onDidChangeState((state) => {
    if (told || state.kind !== 'connected' || !isOlder(state.version, own)) return;
    told = true;
    const restart = 'Restart Daemon';
    const message = `The UniMiSS daemon is of version ${state.version}, this extension of ${own}. Runs go on after a restart.`;
    window.showWarningMessage(message, restart).then((answer) => {
      if (answer === restart) void commands.executeCommand('unimiss.restartDaemon');
    });
  });
}

function isOlder(version: string, than: string): boolean {
  return version.localeCompare(than, 'en', { numeric: true }) < 0;
}
