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
  /** Folder of runs to look at; default: only where trainers of daemons here are. */
  root?: string;
  /** Configurations that it can read; default: the product's. */
  kinds?: readonly ConfigKind[];
  /** Folder of the trainers' places. */
  trainers: string;
  devices: DeviceLedger;
  log: LogLine;
  /** Runs that need no look: this daemon trains them. */
  isOurs(folder: string): boolean;
  /** Takes over a trainer that can be steered from here. @returns whether it could */
  adopt(run: RunFolder, owner: TrainerOwner): boolean;
  /** A run got the ending that nobody had written. */
  settled(folder: string): void;
}

interface Seen {
  /** When the lock file was last written: each process that takes the lock does so. */
  written: number;
  /** Of the device, while another process trains the run. */
  claim?: Claim;
}

/**
 * Looks for runs that processes train which this daemon has not started: adopts those trainers that it can steer, notes the devices of
 * the others as in use, and writes into runs whose trainer has died meanwhile how they ended.
 */
export class OtherRuns {
  private readonly seen = new Map<string, Seen>();
  private looking: Promise<void> | undefined;

  constructor(private readonly options: OtherRunsOptions) {}

  /** Resolves when a look that began after this call has ended. */
  async look(): Promise<void> {
    await this.looking;
    // Of several that waited, the first begins a new look, and the others join it.
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
    const names = await readdir(root).catch(() => []); // who lists the runs is told what is wrong with it
    const place = await realpath(root).catch(() => root);
    return names.filter((name) => !name.startsWith('.')).map((name) => join(place, name));
  }

  private async lookAt(folder: string): Promise<void> {
    const lockFile = join(folder, 'lock');
    const written = (await stat(lockFile).catch(() => undefined))?.mtimeMs;
    if (written === undefined) return this.forget(folder);
    const known = this.seen.get(folder);
    // A lock that was free and that nobody has taken since still is.
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
    // Nearly all runs say how they ended: these need not be opened.
    if (!trainer || (await recordedEnding({ recordsFile: join(folder, 'records.jsonl') }, trainer.since))) return;
    const run = await RunFolder.open(folder, this.options.kinds);
    const ending = await settleRun(run, (message) => this.options.log('warning', `${run.id}: ${message}`));
    if (!ending) return;
    this.options.log('error', `${run.id}: ${ending.message}`);
    this.options.settled(folder);
  }

  /** Removes what a trainer left that has died while no daemon was there. */
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
