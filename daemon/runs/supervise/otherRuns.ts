import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConfigKind } from '../../../protocol/config/index.ts';
import { messageOf } from '../../../protocol/errors.ts';
import { controlVersion } from '../../../protocol/runs/trainerMessages.ts';
import { reachable } from '../../files/reach.ts';
import { isOwnSocket } from '../../files/socketPath.ts';
import { isLocked, isOwnedHere, type TrainerOwner, trainerOf } from '../folder/lock.ts';
import type { LogLine } from '../folder/log.ts';
import { RunFolder } from '../folder/runFolder.ts';
import type { Claim, DeviceLedger } from './deviceLedger.ts';
import { shownDevices } from './devicesOf.ts';
import { recordedEnding } from './ending.ts';
import { settleRun } from './settleRun.ts';
import { mayBeStarting, removeTrainerPlace, type TrainerPlace, trainerPlaces } from './trainerPlace.ts';

export interface OtherRunsOptions {
  /** Folder of runs to look at; default: only the runs of trainers that daemons here started. */
  root?: string;
  /** Kinds of configurations that it can read; default: the product's. */
  kinds?: readonly ConfigKind[];
  /** Folder of the trainers' places. */
  trainers: string;
  devices: DeviceLedger;
  log: LogLine;
  /** Whether this daemon trains a run, so that it needs no look. */
  isOurs(folder: string): boolean;
  /** Takes over a trainer that this daemon can control. @returns whether it could */
  adopt(run: RunFolder, owner: TrainerOwner): boolean;
  /** Called after a run's missing ending was written. */
  settled(folder: string): void;
}

interface Seen {
  /** When the lock file was last written: each process that takes the lock does so. */
  written: number;
  /** The claim on the device while another process trains the run. */
  claim?: Claim;
}

/**
 * Looks for runs whose trainers this daemon did not start. Adopts the trainers that it can control, marks the devices of the
 * others as in use, and writes the missing ending into runs whose trainer has died.
 */
export class OtherRuns {
  private readonly seen = new Map<string, Seen>();
  private looking: Promise<void> | undefined;

  constructor(private readonly options: OtherRunsOptions) {}

  /** Resolves when a look that began after this call has ended. */
  async look(): Promise<void> {
    await this.looking;
    // The first of several waiting calls begins a new look, and the others join it.
    this.looking ??= this.lookAtAll().finally(() => {
      this.looking = undefined;
    });
    await this.looking;
  }

  private async lookAtAll(): Promise<void> {
    const places = await trainerPlaces(this.options.trainers);
    const folders = new Set([...(await this.foldersInRoot()), ...places.map((place) => place.run)]);
    for (const folder of folders) {
      if (this.options.isOurs(folder)) continue;
      try {
        await this.lookAt(folder);
      } catch (error) {
        this.options.log('warning', `${folder}: ${messageOf(error)}`);
      }
    }
    for (const folder of this.seen.keys()) if (!folders.has(folder)) this.forget(folder);
    for (const place of places) await this.tidy(place);
  }

  private async foldersInRoot(): Promise<string[]> {
    const { root } = this.options;
    if (root === undefined) return [];
    const names = await readdir(root).catch(() => []); // listing the runs reports what is wrong with it
    const place = await realpath(root).catch(() => root);
    return names.filter((name) => !name.startsWith('.')).map((name) => join(place, name));
  }

  private async lookAt(folder: string): Promise<void> {
    const lockFile = join(folder, 'lock');
    const written = (await stat(lockFile).catch(() => undefined))?.mtimeMs;
    if (written === undefined) return this.forget(folder);
    const known = this.seen.get(folder);
    // A lock that was free, and that no process has taken since, is still free.
    if (known?.written === written && !known.claim) return;
    this.seen.set(folder, { ...known, written });
    if (isLocked(lockFile)) await this.held(folder, lockFile);
    else await this.free(folder, lockFile);
  }

  private async held(folder: string, lockFile: string): Promise<void> {
    const owner = trainerOf(lockFile);
    if (owner && owner.control.version === controlVersion && (await canReach(owner.control.socket))) {
      const run = await RunFolder.open(folder, this.options.kinds);
      if (this.options.isOurs(folder)) return; // it was started meanwhile
      this.release(folder);
      if (this.options.adopt(run, owner)) return this.forget(folder);
    }
    const known = this.seen.get(folder);
    if (!known || known.claim || !isOwnedHere(lockFile)) return;
    const run = await RunFolder.open(folder, this.options.kinds);
    if (isLocked(lockFile)) known.claim = this.options.devices.note(shownDevices(run), run.id);
  }

  private async free(folder: string, lockFile: string): Promise<void> {
    this.release(folder);
    const trainer = trainerOf(lockFile);
    // Nearly all runs recorded how they ended, and need not be opened.
    if (!trainer || (await recordedEnding({ recordsFile: join(folder, 'records.jsonl') }, trainer.since))) return;
    const run = await RunFolder.open(folder, this.options.kinds);
    const ending = await settleRun(run, (message) => this.options.log('warning', `${run.id}: ${message}`));
    if (!ending) return;
    this.options.log('error', `${run.id}: ${ending.message}`);
    this.options.settled(folder);
  }

  /** Removes what a trainer left behind that died while no daemon ran. */
  private async tidy(place: TrainerPlace): Promise<void> {
    if (this.options.isOurs(place.run) || isLocked(join(place.run, 'lock'))) return;
    if ((await canReach(place.socket)) || (await mayBeStarting(place))) return;
    await removeTrainerPlace(place);
  }

  private release(folder: string): void {
    const known = this.seen.get(folder);
    known?.claim?.release();
    delete known?.claim;
  }

  private forget(folder: string): void {
    this.release(folder);
    this.seen.delete(folder);
  }
}

/** Whether a trainer of this user listens on a socket. */
async function canReach(socket: string): Promise<boolean> {
  return (await isOwnSocket(socket)) && (await reachable(socket).catch(() => false));
}
