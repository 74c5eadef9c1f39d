import { existsSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { UnimissError } from '../../protocol/errors.ts';
import { DaemonClient } from '../server/client.ts';
import { daemonPaths } from '../server/paths.ts';
import { reach } from '../server/reach.ts';

/** Arguments by which node starts this program anew: its script. */
export function thisProgram(): string[] {
  return [...process.execArgv, realpathSync(process.argv[1]!)];
}

/** How a daemon of this program is started in the background. */
export function daemonCommandLine(): { file: string; args: string[] } {
  return { file: process.execPath, args: [...thisProgram(), 'daemon', '--detached'] };
}

/** A conversation with the daemon, which is started where there is none. */
export function startedDaemon(): Promise<DaemonClient> {
  return DaemonClient.start(daemonPaths(), daemonCommandLine());
}

/** Does something with the daemon that is running. @throws UnimissError 'run' where none is */
export async function withDaemon<R>(action: (client: DaemonClient) => Promise<R>): Promise<R> {
  const { socket } = daemonPaths();
  const connection = await reach(socket);
  if (!connection)
    throw new UnimissError('run', 'no daemon is running', {
      place: socket,
      remedy: '`unimiss daemon start` starts one.',
    });
  const client = await DaemonClient.open(connection);
  try {
    return await action(client);
  } finally {
    client.close();
  }
}

/** What the daemon calls a run: its name, or the absolute path where a folder was named. */
export function runReference(nameOrFolder: string): string {
  const isPath =
    /[/\\]/.test(nameOrFolder) || nameOrFolder === '.' || existsSync(join(resolve(nameOrFolder), 'run.json'));
  return isPath ? resolve(nameOrFolder) : nameOrFolder;
}
