import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { messageOf, UnimissError } from '../../../protocol/errors.ts';
import { reach } from '../../files/reach.ts';
import { openDaemonLog } from './daemonLog.ts';
import { type DaemonPaths, securePlace } from './paths.ts';

/** The command that starts a daemon: a program with its arguments. */
export interface DaemonCommand {
  file: string;
  args: string[];
  env?: NodeJS.ProcessEnv;
}

/** Pause between two attempts to connect, ms. */
const AGAIN = 20;
/** Longest wait for an ending daemon to release its lock, ms; a run may take long to stop. */
const PATIENCE = 60_000;

/**
 * Connects to the daemon. If none runs, starts one first, detached from this process and its terminal, with its log in a file. If
 * several start one at the same time, all connect to the same.
 * @throws UnimissError 'daemon' with the end of its log if it does not start
 */
export async function connectOrStart(paths: DaemonPaths, command: DaemonCommand, patience = PATIENCE): Promise<Socket> {
  await securePlace(paths);
  const deadline = performance.now() + patience;
  for (;;) {
    const present = await reach(paths.socket);
    if (present) return present;
    const exited = launch(paths, command);
    // It listens or has ended. In the latter case, another was faster or is just ending, or something is wrong.
    for (let code: number | null | undefined; code === undefined; ) {
      const connection = await reach(paths.socket);
      if (connection) return connection;
      code = await Promise.race([exited, setTimeout(AGAIN, undefined)]);
      if (performance.now() > deadline) throw await noDaemon(paths, 'did not start listening in time');
      if (code === undefined || code === 0) continue;
      const another = await reach(paths.socket);
      if (another) return another;
      throw await noDaemon(paths, `exited with ${code === null ? 'a signal' : `code ${code}`}`);
    }
    await setTimeout(AGAIN);
  }
}

/** Starts a daemon in a session of its own. @returns its exit code, if it ends before we do; null: by a signal */
function launch({ log }: DaemonPaths, { file, args, env = process.env }: DaemonCommand): Promise<number | null> {
  const output = openDaemonLog(log);
  try {
    const child = spawn(file, args, { detached: true, stdio: ['ignore', output, output], env, cwd: '/' });
    child.unref();
    const exited = once(child, 'exit').then(
      ([code]) => code as number | null,
      (cause) => {
        throw new UnimissError('daemon', `the daemon could not be started: ${messageOf(cause)}`, {
          place: file,
          cause,
        });
      },
    );
    exited.catch(() => {}); // a daemon that listens may end at any time
    return exited;
  } finally {
    closeSync(output);
  }
}

async function noDaemon({ log }: DaemonPaths, how: string): Promise<UnimissError> {
  const said = await readFile(log, 'utf8').then(
    (text) => text.trimEnd().split('\n').slice(-8).join('\n  '),
    () => '',
  );
  return new UnimissError('daemon', `the daemon ${how}`, {
    place: log,
    remedy: `Its log ends with:\n  ${said}\n  Run \`unimiss daemon\` to start it in the terminal.`,
  });
}
