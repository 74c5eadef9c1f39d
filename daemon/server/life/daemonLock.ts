import { messageOf, UnimissError } from '../../../protocol/errors.ts';
import type { FileLock } from '../../native/fileLock.ts';
import { isLocked, lockRun } from '../../runs/folder/lock.ts';
import type { DaemonPaths } from './paths.ts';

/** Attempts to take a lock that its holder released meanwhile. */
const LOCK_ATTEMPTS = 5;

/** Takes the lock of the daemon of this user. @throws AlreadyRunning; UnimissError 'daemon' if it cannot be taken */
export async function takeLock(paths: DaemonPaths): Promise<FileLock> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await lockRun(paths.lock);
    } catch (error) {
      if (isLocked(paths.lock)) throw alreadyRunning(paths);
      // The previous holder may just have ended.
      if (attempt === LOCK_ATTEMPTS)
        throw new UnimissError('daemon', `cannot lock the daemon's files: ${messageOf(error)}`, {
          place: paths.lock,
          cause: error,
        });
    }
  }
}

export function alreadyRunning({ socket }: DaemonPaths): AlreadyRunning {
  return new AlreadyRunning('daemon', 'a daemon is already running', {
    place: socket,
    remedy: '`unimiss daemon status` shows its state. Set UNIMISS_SOCKET to use another one.',
  });
}

/** Another daemon has the socket: no error for callers that only need one to run. */
export class AlreadyRunning extends UnimissError {}
