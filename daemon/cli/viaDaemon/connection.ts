import { existsSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Option } from 'commander';
import { daemonStatus } from '../../../protocol/daemon/lifecycleMessages.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import { DaemonConnection } from '../../client/daemonConnection.ts';
import { reach } from '../../files/reach.ts';
import { inside } from '../../runs/folder/root.ts';
import { differingVariables, trainingEnvironment } from '../../server/life/environment.ts';
import { daemonPaths } from '../../server/life/paths.ts';
import type { Reporter } from '../terminal/reporter.ts';

/** Arguments by which node starts this program anew: its script. */
export function thisProgram(): string[] {
  return [...process.execArgv, realpathSync(process.argv[1]!)];
}

/** How a daemon of this program is started in the background. */
export function daemonCommandLine(): { file: string; args: string[] } {
  return { file: process.execPath, args: [...thisProgram(), 'daemon', '--detached'] };
}

/** A connection to the daemon. Starts the daemon if none is running. */
export function startedDaemon(): Promise<DaemonConnection> {
  return DaemonConnection.start(daemonPaths(), daemonCommandLine());
}

/** `--foreground`, for commands that go through the daemon. */
export function foregroundOption(): Option {
  return new Option('--foreground', 'run in this process, without the daemon');
}

/**
 * Does something with the daemon, which is started where there is none, and closes the conversation. Where the daemon was
 * started with other variables than are set here, which what it starts would not see, that is said.
 */
export async function throughDaemon<R>(
  reporter: Reporter,
  action: (client: DaemonConnection) => Promise<R>,
): Promise<R> {
  const client = await startedDaemon();
  try {
    const { environment } = await client.call(daemonStatus, {});
    const differing = differingVariables(environment, trainingEnvironment());
    if (differing.length > 0)
      reporter.notice(
        `The daemon was started with a different ${differing.join(' and ')} and uses its own value.\n  To use yours, run \`unimiss daemon stop\` (current runs keep their values); the next command restarts the daemon. Or pass --foreground.`,
      );
    return await action(client);
  } finally {
    client.close();
  }
}

/** Does something with the daemon that is running. @throws UnimissError 'daemon' where none is */
export async function withDaemon<R>(action: (client: DaemonConnection) => Promise<R>): Promise<R> {
  const { socket } = daemonPaths();
  const connection = await reach(socket);
  if (!connection)
    throw new UnimissError('daemon', 'no daemon is running', {
      place: socket,
      remedy: 'Start it with `unimiss daemon start`.',
    });
  const client = await DaemonConnection.open(connection);
  try {
    return await action(client);
  } finally {
    client.close();
  }
}

/** The folder of runs that was asked for: `--runs`, else `UNIMISS_RUNS`; undefined: the daemon's own. Absolute. */
export function askedRoot(option?: string): string | undefined {
  const given = option ?? process.env.UNIMISS_RUNS;
  return given ? resolve(given) : undefined;
}

/** What the daemon calls a run: its absolute path where a folder or a folder of runs was named, else its name. */
export function runReference(nameOrFolder: string, root = askedRoot()): string {
  if (isFolder(nameOrFolder)) return resolve(nameOrFolder);
  return root === undefined ? nameOrFolder : inside(root, nameOrFolder);
}

/** Whether a run was named by its folder rather than by its name. */
export function isFolder(nameOrFolder: string): boolean {
  return /[/\\]/.test(nameOrFolder) || nameOrFolder === '.' || existsSync(join(resolve(nameOrFolder), 'run.json'));
}
