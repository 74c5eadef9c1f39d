import { closeSync, constants, fstatSync, ftruncateSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { UnimissError } from '../../protocol/errors.ts';
import { koffi } from './native.ts';

/**
 * A lock on a file by flock(2). The kernel holds it for the open file, and releases it when its owner closes the file or dies,
 * however it dies, so there are no stale locks. The file stays and names the last holder: removing it would let two processes
 * lock two files of the same name.
 */
export interface FileLock {
  /** A second call does nothing. */
  release(): void;
}

/** What a lock file says about its owner, unless the owner has only just taken it. */
export interface LockOwner {
  pid?: unknown;
  host?: unknown;
  /** ISO 8601. */
  since?: unknown;
  [more: string]: unknown;
}

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = constants;
/** Follow no links, and do not block on a pipe in place of the file. */
const readOnly = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;
const readAndAppend = O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK;

/** flock's operations; they are the same on Linux and macOS. */
const shared = 1;
const exclusive = 2;
const dontWait = 4;

/**
 * Takes the lock of a file; makes the file if missing.
 * @param whenHeld called whenever another process (or another part of this one) holds the lock. The next attempt follows when it
 * resolves; if it throws, this throws. Attempts count from 1
 * @param about further facts about this owner for the file
 * @throws what `whenHeld` throws; the system's error if the file cannot be opened; UnimissError 'disk' if locks do not work, or
 * the file was removed meanwhile
 */
export async function lockFile(
  file: string,
  whenHeld: (owner: LockOwner | undefined, attempt: number) => Promise<void>,
  about: Record<string, unknown> = {},
): Promise<FileLock> {
  const descriptor = openSync(file, readAndAppend, 0o666);
  try {
    for (let attempt = 1; !flock(descriptor, exclusive | dontWait, file); attempt++)
      await whenHeld(ownerOf(file), attempt);
    if (!sameFile(descriptor, file))
      throw new UnimissError('disk', 'the file was removed or replaced during the wait for its lock', { place: file });
    const owner: LockOwner = { pid: process.pid, host: hostname(), since: new Date().toISOString(), ...about };
    ftruncateSync(descriptor);
    writeSync(descriptor, `${JSON.stringify(owner)}\n`);
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
  let open = true;
  return {
    release() {
      if (open) closeSync(descriptor);
      open = false;
    },
  };
}

/** Whether a living process holds the lock; false if there is no lock file yet. Writes nothing. */
export function isLocked(file: string): boolean {
  let descriptor: number;
  try {
    descriptor = openSync(file, readOnly);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
  try {
    return !flock(descriptor, shared | dontWait, file);
  } finally {
    closeSync(descriptor);
  }
}

let flockOfLibc: ((descriptor: number, operation: number) => number) | undefined;

/** false if another process holds the lock. */
function flock(descriptor: number, operation: number, file: string): boolean {
  flockOfLibc ??= koffi.load(null).func('int flock(int, int)') as (descriptor: number, operation: number) => number;
  if (flockOfLibc(descriptor, operation) === 0) return true;
  const { EWOULDBLOCK, EAGAIN, EINTR } = koffi.os.errno;
  const code = koffi.errno();
  if (code === EWOULDBLOCK || code === EAGAIN || code === EINTR) return false;
  throw new UnimissError('disk', `the file system does not support file locks (flock, error ${code})`, {
    place: file,
    remedy: 'Keep runs and the cache on a local disk: set UNIMISS_RUNS and UNIMISS_CACHE.',
  });
}

/** The last holder of a lock; undefined if the file does not name one. */
export function ownerOf(file: string): LockOwner | undefined {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, readOnly);
    const owner: unknown = JSON.parse(readFileSync(descriptor, 'utf8'));
    return typeof owner === 'object' && owner !== null ? (owner as LockOwner) : undefined;
  } catch {
    return undefined; // the owner has only just taken the lock and not yet written its name
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Whether the name still leads to the open file. */
function sameFile(descriptor: number, file: string): boolean {
  const here = fstatSync(descriptor);
  const there = statSync(file, { throwIfNoEntry: false });
  return there !== undefined && there.ino === here.ino && there.dev === here.dev;
}
