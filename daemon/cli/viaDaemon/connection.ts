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

/** Arguments with which Node starts this program again: its script. */
export function thisProgram(): string[] {
  return [...process.execArgv, realpathSync(process.argv[1]!)];
}

/** The command that starts a daemon of this program in the background. */
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
 * Does something with the daemon, then closes the connection. Starts a daemon if none runs. Gives a notice if the daemon was
 * started with other variables than are set here, since its processes would not see these.
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

/** Does something with the running daemon. @throws UnimissError 'daemon' if none runs */
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

/** The requested folder of runs: `--runs`, else `UNIMISS_RUNS`; undefined: the daemon's own. Absolute. */
export function askedRoot(option?: string): string | undefined {
  const given = option ?? process.env.UNIMISS_RUNS;
  return given ? resolve(given) : undefined;
}

/** The daemon's reference of a run: its absolute path if the user named a folder or a folder of runs, else its name. */
export function runReference(nameOrFolder: string, root = askedRoot()): string {
  if (isFolder(nameOrFolder)) return resolve(nameOrFolder);
  return root === undefined ? nameOrFolder : inside(root, nameOrFolder);
}

/** Whether the user named a run, or an export, by its folder rather than by its name. */
export function isFolder(nameOrFolder: string): boolean {
  const has = (file: string) => existsSync(join(resolve(nameOrFolder), file));
  return /[/\\]/.test(nameOrFolder) || nameOrFolder === '.' || has('run.json') || has('plan.json');
}
