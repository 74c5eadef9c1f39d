import { open, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { UnimissError } from '../../../protocol/errors.ts';
import { koffi } from '../native.ts';

const LOCK_EX = 2;
const LOCK_NB = 4;
const POLL_MS = 200;

let flock: ((fd: number, operation: number) => number) | undefined;

/** A lock that is held until `release`, or until this process ends, however it ends. */
export interface Lock {
  release(): Promise<void>;
}

/**
 * Takes the lock of a file (flock(2)), waiting while another process holds it. The kernel frees it with its owner, so a
 * dead owner holds nothing; the file itself stays, since removing it would let two processes lock two files of one name.
 * @param onWait is called once, with the holder's process id if it can be read, when the lock is not free.
 * @throws UnimissError `interrupted` when the signal is aborted while waiting; `disk` where locks do not work.
 */
export async function takeLock(file: string, onWait: (owner?: number) => void, signal?: AbortSignal): Promise<Lock> {
  flock ??= koffi.load('libc.so.6').func('int flock(int fd, int operation)') as (fd: number, op: number) => number;
  const handle = await open(file, 'a+');
  try {
    for (let waited = false; flock(handle.fd, LOCK_EX | LOCK_NB) !== 0; ) {
      const errno = koffi.errno();
      if (errno !== koffi.os.errno.EAGAIN) {
        throw new UnimissError('disk', `The file system does not lock files (error ${errno})`, {
          place: file,
          remedy: 'Set UNIMISS_CACHE to a folder on a local disk.',
        });
      }
      if (!waited) {
        waited = true;
        const owner = Number.parseInt(await readFile(file, 'utf8'), 10);
        onWait(Number.isNaN(owner) ? undefined : owner);
      }
      await delay(POLL_MS, undefined, { signal }).catch(() => {
        throw new UnimissError('interrupted', 'Stopped while waiting for another installation');
      });
    }
    await handle.truncate(0);
    await handle.write(`${process.pid}\n`);
  } catch (error) {
    await handle.close();
    throw error;
  }
  return { release: () => handle.close() };
}
