import { hostname } from 'node:os';
import { basename, dirname } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { UnimissError } from '../../../protocol/errors.ts';
import { diskError } from '../../files/atomic.ts';
import { type FileLock, type LockOwner, lockFile, ownerOf } from '../../native/fileLock.ts';

export { isLocked } from '../../native/fileLock.ts';
export type RunLock = FileLock;

/** Attempts, 25 ms apart, before a lock counts as held: somebody who lists runs holds it for an instant. */
const attempts = 8;

/** For whom a process holds the lock of a run: the daemon, whose child it is, or somebody at a terminal. */
export type TrainsFor = 'daemon' | 'terminal';

/**
 * Takes the lock of a run folder for this process. Throws UnimissError 'run' that names the holder where another process
 * (or another part of this one) has it.
 */
export async function lockRun(file: string, trainsFor?: TrainsFor): Promise<RunLock> {
  const whenHeld = async (owner: LockOwner | undefined, attempt: number) => {
    if (attempt === attempts) throw runIsHeld(file, owner);
    await setTimeout(25);
  };
  try {
    return await lockFile(file, whenHeld, { ...(trainsFor && { trainsFor }) });
  } catch (error) {
    throw diskError(error, file);
  }
}

/** Says which process trains a run, and what stops that. */
export function runIsHeld(file: string, owner = ownerOf(file)): UnimissError {
  const run = basename(dirname(file));
  const holder = owner ? `process ${owner.pid} on ${owner.host}, since ${owner.since}` : 'another process';
  return new UnimissError(
    'run',
    `this run is being trained by ${holder}${owner?.trainsFor === 'daemon' ? ', for the daemon' : ''}`,
    {
      place: file,
      remedy: `Wait until it has ended, or stop it${howToStop(run, owner)}.`,
    },
  );
}

function howToStop(run: string, owner: LockOwner | undefined): string {
  if (!owner) return '';
  const there = owner.host === hostname() ? '' : ` on ${owner.host}`;
  if (owner.trainsFor === 'daemon')
    return ` with \`unimiss stop ${run}\`${there} (\`kill -INT ${owner.pid}\` where its daemon is gone)`;
  return ` with Ctrl-C in its terminal, or \`kill -INT ${owner.pid}\`${there}`;
}
