import { closeSync, fstatSync, ftruncateSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { UnimissError } from '../../protocol/errors.ts';
import { koffi } from '../engine/native.ts';
import { diskError } from '../files/atomic.ts';

/**
 * A lock on a file by flock(2). The kernel holds it for the open file: it is free again when its owner closes it or dies,
 * however it dies, so that no stale lock can stay. The file itself stays and says who held the lock last.
 */
export interface RunLock {
  release(): void;
}

/** flock's operations; they are the same on Linux and macOS. */
const shared = 1;
const exclusive = 2;
const dontWait = 4;

/** Attempts, 25 ms apart, before a lock counts as held: somebody who lists runs holds it for an instant. */
const attempts = 8;

let flockOfLibc: ((descriptor: number, operation: number) => number) | undefined;
function flock(descriptor: number, operation: number): boolean {
  flockOfLibc ??= koffi.load(null).func('int flock(int, int)') as (descriptor: number, operation: number) => number;
  if (flockOfLibc(descriptor, operation) === 0) return true;
  const { EWOULDBLOCK, EAGAIN, EINTR } = koffi.os.errno;
  const code = koffi.errno();
  if (code === EWOULDBLOCK || code === EAGAIN || code === EINTR) return false;
  throw new UnimissError('run', `the file system refuses a lock (flock, error ${code})`, {
    remedy: 'Keep runs on a local disk: set UNIMISS_RUNS.',
  });
}

/**
 * Takes the lock of a run folder for this process. Throws UnimissError 'run' that names the holder where another process
 * (or another part of this one) has it.
 */
export async function lockRun(file: string): Promise<RunLock> {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'a+');
  } catch (error) {
    throw diskError(error, file);
  }
  try {
    for (let attempt = 1; !flock(descriptor, exclusive | dontWait); attempt++) {
      if (attempt === attempts) throw heldError(file);
      await setTimeout(25);
    }
    if (!sameFile(descriptor, file))
      throw new UnimissError('run', 'the run folder was removed or replaced', { place: file });
    ftruncateSync(descriptor);
    writeSync(
      descriptor,
      `${JSON.stringify({ pid: process.pid, host: hostname(), since: new Date().toISOString() })}\n`,
    );
  } catch (error) {
    closeSync(descriptor);
    throw diskError(error, file);
  }
  let open = true;
  return {
    release() {
      if (open) closeSync(descriptor);
      open = false;
    },
  };
}

/** Whether a living process holds the lock; false where there is no lock file yet. Writes nothing. */
export function isLocked(file: string): boolean {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
  try {
    return !flock(descriptor, shared | dontWait);
  } finally {
    closeSync(descriptor);
  }
}

function heldError(file: string): UnimissError {
  let holder = 'another process';
  let remedy = 'Wait until it has ended, or stop it.';
  try {
    const { pid, host, since } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    holder = `process ${pid} on ${host}, since ${since}`;
    remedy = `Wait until it has ended, or stop it${host === hostname() ? ` with \`kill -INT ${pid}\`` : ` on ${host}`}.`;
  } catch {
    // The holder has only just taken the lock and not yet written who it is: the message goes without.
  }
  return new UnimissError('run', `this run is being trained by ${holder}`, { place: file, remedy });
}

/** Whether the name still leads to the open file. */
function sameFile(descriptor: number, file: string): boolean {
  const here = fstatSync(descriptor);
  const there = statSync(file, { throwIfNoEntry: false });
  return there !== undefined && there.ino === here.ino && there.dev === here.dev;
}
