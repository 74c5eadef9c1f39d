import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, ftruncateSync } from 'node:fs';
import { messageOf } from '../../../protocol/errors.ts';
import { diskError } from '../../files/atomic.ts';
import { openRunFile, openToAppend } from '../../files/runFile.ts';
import { isLocked, type TrainerOwner, trainerOf } from '../folder/lock.ts';
import type { TrainerCommand } from './command.ts';
import type { TrainerPlace } from './trainerPlace.ts';

/** How a process ended. `unseen`: not our child, so the system does not say. */
export interface Exit {
  exitCode: number | null;
  signal: string | null;
  unseen?: boolean;
  spawnError?: Error;
}

/** The process of a trainer, which this daemon has started or found. */
export interface TrainerBody {
  readonly pid: number | undefined;
  /** Resolves when the process has ended; never rejects. */
  readonly exited: Promise<Exit>;
  /** Ends it at once. */
  kill(): void;
  /** Checks again whether it has ended, because its connection has just ended. */
  look(): void;
  /** Lets it go on by itself; it no longer keeps this process alive. */
  leave(): void;
}

/**
 * Starts a trainer in a session of its own, with its standard streams in a file. So it survives the end of this process and of a
 * terminal, and its last words stay.
 * @throws UnimissError 'disk' if the file cannot be written
 */
export function startTrainer(command: TrainerCommand, folder: string, place: TrainerPlace): TrainerBody {
  let output: number;
  try {
    output = openToAppend(place.output);
    ftruncateSync(output);
  } catch (error) {
    throw diskError(error, place.output);
  }
  try {
    const child = spawn(command.file, [...command.args, folder, '--place', place.file], {
      cwd: folder,
      env: command.env ?? process.env,
      stdio: ['ignore', output, output],
      detached: true,
    });
    const exited = once(child, 'exit').then(
      ([exitCode, signal]): Exit => ({ exitCode, signal }),
      (error): Exit => ({ exitCode: null, signal: null, spawnError: error }),
    );
    return {
      pid: child.pid,
      exited,
      kill: () => child.kill('SIGKILL'),
      look: () => {},
      leave: () => child.unref(),
    };
  } finally {
    closeSync(output);
  }
}

/** Interval between checks of the lock of a found trainer, ms. */
const LOOK = 1000;

/** A trainer that another process started. It has ended when it no longer holds the lock of its run. */
export function foundTrainer(owner: TrainerOwner, lockFile: string): TrainerBody {
  const isThere = () => {
    const now = isLocked(lockFile) ? trainerOf(lockFile) : undefined;
    // The next one may hold the lock by now.
    return now?.pid === owner.pid && now.since === owner.since;
  };
  let gone: (exit: Exit) => void = () => {};
  const exited = new Promise<Exit>((resolve) => {
    gone = resolve;
  });
  const look = () => {
    if (isThere()) return;
    clearInterval(looking);
    gone({ exitCode: null, signal: null, unseen: true });
  };
  const looking = setInterval(look, LOOK);
  return {
    pid: owner.pid,
    exited,
    kill: () => {
      if (isThere()) process.kill(owner.pid, 'SIGKILL');
      look();
    },
    look,
    leave: () => clearInterval(looking),
  };
}

/** How much of a trainer's output is reported, bytes. */
const LAST_WORDS = 16 << 10;

/** The end of a trainer's output on its standard streams; or what is wrong with the file if it cannot be read. */
export async function lastWordsIn(output: string): Promise<string> {
  try {
    const file = await openRunFile(output);
    if (!file) return '';
    try {
      const { size } = await file.stat();
      const length = Math.min(size, LAST_WORDS);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
      return buffer.subarray(0, bytesRead).toString('utf8').trim();
    } finally {
      await file.close();
    }
  } catch (error) {
    return `(cannot be read: ${messageOf(error)})`;
  }
}
