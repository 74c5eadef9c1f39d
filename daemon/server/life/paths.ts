import { homedir, hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { diskError } from '../../files/atomic.ts';
import { makeFolder } from '../../files/folder.ts';
import { secureSocketFolder, shortSocketPath } from '../../files/socketPath.ts';

/** The files of the daemon of this user and machine. */
export interface DaemonPaths {
  /** The Unix socket. Its folder is private to the user. */
  socket: string;
  /** The daemon holds it (flock) as long as it lives; contains its process id. */
  lock: string;
  /** The log of a daemon without a terminal. */
  log: string;
  /** The runs that wait for their device. */
  queue: string;
  /** Folder of the sockets that control the trainers of this daemon and its successors. */
  trainers: string;
}

/**
 * `UNIMISS_SOCKET`, else `$XDG_RUNTIME_DIR/unimiss/daemon.sock`, else `~/.local/state/unimiss/daemon-<machine>.sock` (several
 * machines may share a home). If a path is too long for a socket, a short one with its hash replaces it, in the system's folder
 * for temporary files. Touches no file.
 */
export function daemonPaths(env: NodeJS.ProcessEnv = process.env, home = homedir()): DaemonPaths {
  const state = join(env.XDG_STATE_HOME || join(home, '.local', 'state'), 'unimiss');
  const here = hostname().replace(/[^A-Za-z0-9.-]/g, '_');
  const named = env.UNIMISS_SOCKET ? resolve(env.UNIMISS_SOCKET) : undefined;
  const usual = env.XDG_RUNTIME_DIR
    ? join(env.XDG_RUNTIME_DIR, 'unimiss', 'daemon.sock')
    : join(state, `daemon-${here}.sock`);
  const socket = shortSocketPath(named ?? usual);
  const log = named ? `${socket}.log` : join(state, `daemon-${here}.log`);
  return { socket, lock: `${socket}.lock`, log, queue: `${socket}.queue`, trainers: `${socket}.trainers` };
}

/** The files of a daemon that has made room for another, and stays until its runs have ended. */
export function retiredPaths({ socket }: DaemonPaths, pid: number): { socket: string; lock: string } {
  const retired = shortSocketPath(`${socket}.retired-${pid}`);
  return { socket: retired, lock: `${socket}.retired-${pid}.lock` };
}

/** The process id of a retired daemon, from the name of a file in the folder of the socket. */
export function retiredPid(paths: DaemonPaths, name: string): number | undefined {
  const prefix = `${paths.socket.slice(dirname(paths.socket).length + 1)}.retired-`;
  const pid = name.startsWith(prefix) && name.endsWith('.lock') ? name.slice(prefix.length, -'.lock'.length) : '';
  return /^\d+$/.test(pid) ? Number(pid) : undefined;
}

/**
 * Makes the folders of the socket and the log, or checks that the first belongs to the user and admits nobody else.
 * @throws UnimissError 'daemon' with the command that helps
 */
export async function securePlace({ socket, log }: DaemonPaths): Promise<void> {
  await secureSocketFolder(dirname(socket));
  try {
    await makeFolder(dirname(log), { mode: 0o700 });
  } catch (error) {
    throw diskError(error, dirname(log));
  }
}
