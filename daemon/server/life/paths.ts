import { createHash } from 'node:crypto';
import { lstat } from 'node:fs/promises';
import { homedir, hostname, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { UnimissError } from '../../../protocol/errors.ts';
import { diskError } from '../../files/atomic.ts';
import { makeFolder } from '../../files/folder.ts';

/** Where the daemon of this user and machine is found. */
export interface DaemonPaths {
  /** The Unix socket. Its folder is the user's alone. */
  socket: string;
  /** Held (flock) by the daemon as long as it lives; says its process id. */
  lock: string;
  /** What a daemon without a terminal has to say. */
  log: string;
}

/** Bytes of a socket's path that Linux takes; one less than the field has, which ends with a zero. macOS: 103. */
const LONGEST = process.platform === 'darwin' ? 103 : 107;

/**
 * `UNIMISS_SOCKET`, else `$XDG_RUNTIME_DIR/unimiss/daemon.sock`, else `~/.local/state/unimiss/daemon-<machine>.sock` (a home may be
 * shared by machines). A path that is too long for a socket is replaced by a short one with its hash, in the system's folder for
 * temporary files. Touches no file.
 */
export function daemonPaths(env: NodeJS.ProcessEnv = process.env, home = homedir()): DaemonPaths {
  const state = join(env.XDG_STATE_HOME || join(home, '.local', 'state'), 'unimiss');
  const here = hostname().replace(/[^A-Za-z0-9.-]/g, '_');
  const named = env.UNIMISS_SOCKET ? resolve(env.UNIMISS_SOCKET) : undefined;
  const usual = env.XDG_RUNTIME_DIR
    ? join(env.XDG_RUNTIME_DIR, 'unimiss', 'daemon.sock')
    : join(state, `daemon-${here}.sock`);
  const socket = shortened(named ?? usual);
  const log = named ? `${socket}.log` : join(state, `daemon-${here}.log`);
  return { socket, lock: `${socket}.lock`, log };
}

function shortened(socket: string): string {
  if (Buffer.byteLength(socket) <= LONGEST) return socket;
  const name = `${createHash('sha256').update(socket).digest('hex').slice(0, 16)}.sock`;
  const own = `unimiss-${process.getuid?.() ?? 'user'}`;
  const short = join(tmpdir(), own, name);
  return Buffer.byteLength(short) <= LONGEST ? short : join('/tmp', own, name);
}

/**
 * Makes the folder of the socket, or checks that it is the user's and that nobody else may enter it.
 * @throws UnimissError 'daemon' with the command that helps
 */
export async function securePlace({ socket, log }: DaemonPaths): Promise<void> {
  const folder = dirname(socket);
  try {
    await makeFolder(folder, { mode: 0o700 });
    await makeFolder(dirname(log), { mode: 0o700 });
  } catch (error) {
    throw diskError(error, folder);
  }
  const found = await lstat(folder);
  const uid = process.getuid?.();
  const remedy = 'Name a socket in a folder of your own: set UNIMISS_SOCKET.';
  if (!found.isDirectory())
    throw new UnimissError('daemon', 'the folder of the socket is a link or a file', { place: folder, remedy });
  if (uid !== undefined && found.uid !== uid)
    throw new UnimissError('daemon', `the folder of the socket belongs to user ${found.uid}, not to you (${uid})`, {
      place: folder,
      remedy,
    });
  if ((found.mode & 0o077) !== 0)
    throw new UnimissError(
      'daemon',
      `others may enter the folder of the socket (mode ${(found.mode & 0o777).toString(8)})`,
      {
        place: folder,
        remedy: `Run \`chmod 700 ${folder}\`, or name a socket elsewhere: set UNIMISS_SOCKET.`,
      },
    );
}
