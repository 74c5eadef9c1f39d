import { createHash } from 'node:crypto';
import { lstat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UnimissError } from '../../protocol/errors.ts';
import { diskError } from './atomic.ts';
import { makeFolder } from './folder.ts';

/** Longest path of a socket on Linux, bytes: one less than the field, which ends with a zero. macOS: 103. */
const LONGEST = process.platform === 'darwin' ? 103 : 107;

/** Returns the path. If it is too long for a socket, returns a short one with its hash in the folder for temporary files. */
export function shortSocketPath(socket: string): string {
  if (Buffer.byteLength(socket) <= LONGEST) return socket;
  const name = `${createHash('sha256').update(socket).digest('hex').slice(0, 16)}.sock`;
  const own = `unimiss-${process.getuid?.() ?? 'user'}`;
  const short = join(tmpdir(), own, name);
  return Buffer.byteLength(short) <= LONGEST ? short : join('/tmp', own, name);
}

/**
 * Makes the folder of a socket (0700), or checks that it belongs to the user and admits nobody else.
 * @throws UnimissError 'daemon' with the command that helps
 */
export async function secureSocketFolder(folder: string): Promise<void> {
  try {
    await makeFolder(folder, { mode: 0o700 });
  } catch (error) {
    throw diskError(error, folder);
  }
  const found = await lstat(folder);
  const uid = process.getuid?.();
  const remedy = 'Set UNIMISS_SOCKET to a socket in a folder that you own.';
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
      `other users can access the folder of the socket (mode ${(found.mode & 0o777).toString(8)})`,
      {
        place: folder,
        remedy: `Run \`chmod 700 ${folder}\`, or set UNIMISS_SOCKET to a socket in another folder.`,
      },
    );
}

/** Whether a path is a socket that only this user can have made and can use. */
export async function isOwnSocket(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  if (!found?.isSocket()) return false;
  const uid = process.getuid?.();
  return (uid === undefined || found.uid === uid) && (found.mode & 0o077) === 0;
}
