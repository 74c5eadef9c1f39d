import { hostname } from 'node:os';
import { basename, dirname } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import { UnimissError } from '../../../protocol/errors.ts';
import { diskError } from '../../files/atomic.ts';
import { type FileLock, type LockOwner, lockFile, ownerOf } from '../../native/fileLock.ts';

export { isLocked } from '../../native/fileLock.ts';
export type RunLock = FileLock;

/** Attempts, 25 ms apart, before a lock counts as held. Listing runs holds it for an instant. */
const attempts = 8;

const controlSchema = z.object({
  version: z.int().min(1).describe('Control protocol version of the trainer.'),
  socket: z.string().min(1),
});

/** Why a process holds the lock of a run: for daemons, which control it through a socket, or for a user at a terminal. */
export type Holder = { trainsFor: 'terminal' } | { trainsFor: 'daemon'; control: z.infer<typeof controlSchema> };

const trainerSchema = z.object({
  pid: z.int().min(1),
  host: z.string(),
  since: z.iso.datetime(),
  trainsFor: z.literal('daemon'),
  control: controlSchema,
});
/** What the lock of a run says about the trainer that holds it, or held it last. */
export type TrainerOwner = z.infer<typeof trainerSchema>;

/**
 * The trainer that holds the lock of a run, or held it last; undefined if that was another kind of process, or on another
 * machine.
 */
export function trainerOf(file: string): TrainerOwner | undefined {
  const owner = trainerSchema.safeParse(ownerOf(file));
  return owner.success && owner.data.host === hostname() ? owner.data : undefined;
}

/** Whether the process that holds the lock of a run, or held it last, is on this machine. */
export function isOwnedHere(file: string): boolean {
  return ownerOf(file)?.host === hostname();
}

/**
 * Takes the lock of a run folder for this process. Throws UnimissError 'run', which names the holder, if another process (or
 * another part of this one) holds it.
 */
export async function lockRun(file: string, holder?: Holder): Promise<RunLock> {
  const whenHeld = async (owner: LockOwner | undefined, attempt: number) => {
    if (attempt === attempts) throw runIsHeld(file, owner);
    await setTimeout(25);
  };
  try {
    return await lockFile(file, whenHeld, { ...holder });
  } catch (error) {
    throw diskError(error, file);
  }
}

/** The error that names the process that trains a run, and how to stop it. */
export function runIsHeld(file: string, owner = ownerOf(file)): UnimissError {
  const run = basename(dirname(file));
  const holder = owner ? `process ${owner.pid} on ${owner.host}, since ${owner.since}` : 'another process';
  return new UnimissError(
    'run',
    `this run is already training in ${holder}${owner?.trainsFor === 'daemon' ? ', for the daemon' : ''}`,
    {
      place: file,
      remedy: `Wait until it ends, or stop it${howToStop(run, owner)}.`,
    },
  );
}

function howToStop(run: string, owner: LockOwner | undefined): string {
  if (!owner) return '';
  const there = owner.host === hostname() ? '' : ` on ${owner.host}`;
  if (owner.trainsFor === 'daemon')
    return ` with \`unimiss stop ${run}\`${there} (\`kill -INT ${owner.pid}\` if its daemon is gone)`;
  return ` with Ctrl-C in its terminal, or \`kill -INT ${owner.pid}\`${there}`;
}
