import type { ConfigKind } from '../../../protocol/config/index.ts';
import { messageOf, UnimissError } from '../../../protocol/errors.ts';
import type { RunEnding, RunInfo } from '../../../protocol/runs/runInfo.ts';
import type { ToTrainer } from '../../../protocol/runs/trainerMessages.ts';
import { isLocked, runIsHeld, type TrainerOwner } from '../folder/lock.ts';
import { RunFolder } from '../folder/runFolder.ts';
import { runState } from '../records/list.ts';
import type { TrainerCommand } from './command.ts';
import { type Claim, DeviceLedger } from './deviceLedger.ts';
import { devicesOf } from './devicesOf.ts';
import { endingOf, recordedEnding } from './ending.ts';
import { alreadyActive, isFinished, logText, notActive } from './errors.ts';
import { OtherRuns } from './otherRuns.ts';
import { SavedQueue } from './savedQueue.ts';
import { settleRun, writeEnding } from './settleRun.ts';
import { foundTrainer, lastWordsIn, startTrainer, type TrainerBody } from './trainerBody.ts';
import { type News, TrainerLink } from './trainerLink.ts';
import { makeTrainerPlace, removeTrainerPlace, type TrainerPlace } from './trainerPlace.ts';

/** What the supervisor knows about a run beyond the disk. */
export type LiveState = Pick<RunInfo, 'activity' | 'stage' | 'progress' | 'queue' | 'waitsFor' | 'ending'>;

/** `state`: activity, queue or ending; `progress`: progress or stage; `records`: there are new records on the disk. */
export type RunChange = 'state' | 'progress' | 'records';

interface ActiveRun {
  run: RunFolder;
  /** The claim on its device. */
  claim: Claim;
  activity: NonNullable<RunInfo['activity']>;
  stage: string | null;
  progress: RunInfo['progress'];
  paused: boolean;
  link?: TrainerLink;
  /** Requests to its trainer from before its start. */
  early: ToTrainer[];
  killed: boolean;
  /** This daemon cannot control its trainer. */
  misfit?: true;
  /** Resolves when its process exists, or could not be started. */
  launched?: Promise<void>;
  /** Resolves when the trainer has ended and the run's records say so. */
  done?: Promise<void>;
}

export interface SupervisorOptions {
  trainer: TrainerCommand;
  /** Private folder of the user for the sockets of trainers. */
  trainers: string;
  /** File that keeps the queue for the next supervisor; default: none does. */
  queue?: string;
  /** Folder in which `look` looks for runs of other processes. */
  root?: string;
  /** Kinds of configurations that it can read; default: the product's. */
  kinds?: readonly ConfigKind[];
  /** Grants the device of each run; jobs ask the same ledger. */
  devices?: DeviceLedger;
  onChange(folder: string, change: RunChange): void;
  log(level: 'info' | 'warning' | 'error', message: string): void;
}

/**
 * Trains runs, each in a separate process, as many at once as their devices allow; the others wait in the order of their start.
 * Trainers outlive it: the next supervisor adopts them (`look`). Whatever happens to a trainer, the supervisor lives and the run
 * can be resumed. The state of runs is on the disk, and so is the queue.
 */
export class Supervisor {
  /** By folder, in the order of their start. */
  private readonly active = new Map<string, ActiveRun>();
  private readonly endings = new Map<string, RunEnding>();
  private readonly devices: DeviceLedger;
  private readonly others: OtherRuns;
  private readonly queue: SavedQueue | undefined;
  /** The queue of the last daemon is being read; its file stays as it is. */
  private restoring = false;
  private closing = false;
  private left = false;
  /** Trainers that this daemon turned out unable to control. */
  private readonly misfits = new Set<string>();

  constructor(private readonly options: SupervisorOptions) {
    const { trainers, root, log, kinds } = options;
    this.devices = options.devices ?? new DeviceLedger();
    if (options.queue !== undefined) this.queue = new SavedQueue(options.queue, (message) => log('warning', message));
    this.others = new OtherRuns({
      trainers,
      log,
      devices: this.devices,
      ...(root !== undefined && { root }),
      ...(kinds && { kinds }),
      isOurs: (folder) => this.closing || this.active.has(folder),
      adopt: (run, owner) => this.adopt(run, owner),
      settled: (folder) => options.onChange(folder, 'state'),
    });
  }

  /** Runs with a trainer, and runs that wait. */
  get counts(): { training: number; queued: number } {
    const queued = [...this.active.values()].filter((run) => run.activity === 'queued').length;
    return { training: this.active.size - queued, queued };
  }

  get folders(): string[] {
    return [...this.active.keys()];
  }

  live(folder: string): LiveState {
    const ending = this.endings.get(folder) ?? null;
    const run = this.active.get(folder);
    if (!run) return { activity: null, stage: null, progress: null, queue: null, ending };
    const { activity, stage, progress, claim } = run;
    const waiting = activity === 'queued' && { waitsFor: claim.inUseBy };
    return { activity, stage, progress, queue: claim.place, ...waiting, ending };
  }

  /** Looks for runs that other processes train: adopts those that it can control, and settles those whose trainer has died. */
  async look(): Promise<void> {
    if (!this.closing) await this.others.look();
  }

  /** Starts or resumes a run. @throws UnimissError 'run' if it is finished, or already in training */
  async start(run: RunFolder, { wait = true } = {}): Promise<void> {
    await this.look();
    if (!this.active.has(run.folder))
      await settleRun(run, (message) => this.options.log('warning', `${run.id}: ${message}`));
    const state = await runState(run);
    const present = this.active.get(run.folder);
    if (present) throw alreadyActive(run.id, present.activity);
    if (this.closing) throw new UnimissError('run', 'the daemon is stopping', { remedy: 'Try again in a moment.' });
    if (state === 'finished') throw isFinished(run.id);
    if (isLocked(run.lockFile)) throw runIsHeld(run.lockFile);
    const claim = this.devices.claim({
      devices: devicesOf(run),
      who: run.id,
      whenBusy: wait ? 'wait' : 'share',
      onHeld: () => {
        this.launch(entry);
        this.options.onChange(run.folder, 'state');
      },
      onMoved: () => this.options.onChange(run.folder, 'state'),
    });
    const entry = newEntry(run, claim, 'queued');
    this.active.set(run.folder, entry);
    this.endings.delete(run.folder);
    if (claim.held) this.launch(entry);
    this.options.onChange(run.folder, 'state');
    await this.saveQueue();
    await entry.launched;
  }

  /** Queues the runs that waited when the last daemon ended, in their order. Logs why one cannot be. */
  async restoreQueue(): Promise<void> {
    if (!this.queue) return;
    const { log, kinds } = this.options;
    this.restoring = true;
    for (const folder of await this.queue.load()) {
      try {
        await this.start(await RunFolder.open(folder, kinds));
        log('info', `${folder} waited for its device and is queued again`);
      } catch (error) {
        log('warning', `${folder} waited for its device and cannot be queued again: ${messageOf(error)}`);
      }
    }
    this.restoring = false;
    await this.saveQueue();
  }

  /** Resolves when the queue is on the disk. */
  get queueSaved(): Promise<void> {
    return this.queue?.saved ?? Promise.resolve();
  }

  /** Pauses a run after its current step. */
  pause(run: RunFolder): void {
    const entry = this.get(run);
    if (entry.activity === 'queued') throw notActive(run.id);
    send(entry, { type: 'pause' });
  }

  continue(run: RunFolder): void {
    send(this.get(run), { type: 'continue' });
  }

  /** Asks a run to stop at its next step, with a checkpoint; a waiting one leaves the queue. */
  stop(run: RunFolder): Promise<void> {
    this.stopEntry(this.get(run));
    return this.saveQueue();
  }

  /** Gives a waiting run another place in the queue, 1 is next. @throws UnimissError 'run' if it does not wait */
  moveInQueue(run: RunFolder, place: number): Promise<void> {
    const entry = this.active.get(run.folder);
    if (entry?.activity !== 'queued')
      throw new UnimissError('run', 'does not wait in the queue', {
        place: run.id,
        remedy: '`unimiss runs --state queued` lists the runs that wait.',
      });
    entry.claim.moveTo(place);
    return this.saveQueue();
  }

  /** Ends the process of a run at once, and waits for its end; a waiting run leaves the queue. */
  async kill(run: RunFolder): Promise<void> {
    const entry = this.get(run);
    if (entry.activity === 'queued') return this.stopEntry(entry);
    this.killEntry(entry);
    await entry.done;
  }

  /** How long the trainer of a run takes to answer, ms. */
  async ping(run: RunFolder): Promise<number> {
    const { link } = this.get(run);
    if (!link) throw notActive(run.id);
    return link.ping();
  }

  /** Leaves the queue to the next supervisor, starts and adopts nothing more, and lets all trainers go on by themselves. @returns their number */
  leave(): number {
    this.emptyQueue();
    this.left = true;
    for (const { link } of this.active.values()) link?.leave();
    const { size } = this.active;
    this.active.clear();
    return size;
  }

  /** Leaves the queue to the next supervisor, starts and adopts nothing more; resolves when all trainers have ended by themselves. */
  async retire(): Promise<void> {
    this.emptyQueue();
    await Promise.all([...this.active.values()].map((entry) => entry.done));
  }

  /** As `retire`, but forgets the queue and asks all runs to stop with a checkpoint. */
  async close(): Promise<void> {
    this.emptyQueue();
    void this.queue?.save([]);
    for (const entry of this.active.values()) this.stopEntry(entry);
    await this.retire();
  }

  /** Ends all trainers at once. */
  killAll(): void {
    for (const entry of this.active.values()) this.killEntry(entry);
  }

  /** The queue of a supervisor that ends is left as it is. */
  private async saveQueue(): Promise<void> {
    if (this.closing || this.restoring) return;
    const waiting = [...this.active.values()]
      .filter(({ activity }) => activity === 'queued')
      .sort((a, b) => a.claim.rank - b.claim.rank);
    await this.queue?.save(waiting.map(({ run }) => run.folder));
  }

  private emptyQueue(): void {
    this.closing = true;
    for (const entry of [...this.active.values()]) if (entry.activity === 'queued') this.stopEntry(entry);
  }

  private get(run: RunFolder): ActiveRun {
    const entry = this.active.get(run.folder);
    if (!entry) throw isLocked(run.lockFile) ? runIsHeld(run.lockFile) : notActive(run.id);
    return entry;
  }

  private stopEntry(entry: ActiveRun): void {
    if (entry.activity === 'queued') {
      this.active.delete(entry.run.folder);
      entry.claim.release();
      void this.saveQueue();
    } else {
      send(entry, { type: 'stop' });
      entry.activity = 'stopping';
    }
    this.options.onChange(entry.run.folder, 'state');
  }

  private killEntry(entry: ActiveRun): void {
    entry.killed = true;
    entry.link?.kill();
  }

  private launch(entry: ActiveRun): void {
    entry.activity = 'starting';
    void this.saveQueue();
    entry.launched = new Promise((resolve) => {
      entry.done = this.train(entry, resolve).finally(resolve);
    });
  }

  private async train(entry: ActiveRun, launched: () => void): Promise<void> {
    const { run } = entry;
    const since = new Date().toISOString();
    let place: TrainerPlace | undefined;
    let body: TrainerBody;
    try {
      place = await makeTrainerPlace(this.options.trainers, run);
      if (this.left) return await removeTrainerPlace(place);
      body = startTrainer(this.options.trainer, run.folder, place);
    } catch (error) {
      if (place) await removeTrainerPlace(place);
      const exit = { exitCode: null, signal: null, spawnError: error as Error };
      await this.conclude(entry, endingOf({ exit, outcome: undefined, killed: false }, undefined, ''), since);
      return;
    }
    this.options.log('info', `${run.id}: trainer ${body.pid ?? '(none)'} started`);
    launched();
    await this.follow(entry, body, { ...place, since });
    await removeTrainerPlace(place);
  }

  /** Takes over a trainer that another daemon started. */
  private adopt(run: RunFolder, owner: TrainerOwner): boolean {
    const trainer = `${owner.pid} ${owner.since}`;
    if (this.misfits.has(trainer)) return false;
    const entry = newEntry(run, this.devices.note(devicesOf(run), run.id), 'starting');
    this.active.set(run.folder, entry);
    this.endings.delete(run.folder);
    this.options.log('info', `${run.id}: trainer ${owner.pid} adopted`);
    const { since, control } = owner;
    const body = foundTrainer(owner, run.lockFile);
    entry.done = this.follow(entry, body, { socket: control.socket, output: run.outputFile, since });
    void entry.done.then(() => entry.misfit && this.misfits.add(trainer));
    this.options.onChange(run.folder, 'state');
    return true;
  }

  /** Receives the messages of a trainer until its end, and returns how it ended. */
  private async follow(
    entry: ActiveRun,
    body: TrainerBody,
    { socket, output, since }: { socket: string; output: string; since: string },
  ): Promise<void> {
    const { run } = entry;
    const link = new TrainerLink(socket, body, (message) => this.hear(entry, message));
    entry.link = link;
    for (const message of entry.early.splice(0)) link.send(message);
    if (entry.killed) link.kill();
    const end = await link.ended;
    if ('misfit' in end) {
      this.options.log('warning', `${run.id}: this daemon cannot control its trainer: ${end.misfit}`);
      entry.misfit = true;
      this.remove(entry);
      return;
    }
    const [recorded, lastWords] = [await recordedEnding(run, since), await lastWordsIn(output)];
    await this.conclude(entry, endingOf(end, recorded, lastWords), since);
  }

  private async conclude(entry: ActiveRun, ending: RunEnding, since: string): Promise<void> {
    const { run } = entry;
    const loud = ending.how === 'died' || ending.how === 'failed';
    this.options.log(loud ? 'error' : 'info', logText(run, ending));
    // Writing this takes the run's lock, so the run counts as active until then.
    await writeEnding(run, ending, since, (message) => this.options.log('warning', `${run.id}: ${message}`));
    this.endings.set(run.folder, ending);
    this.remove(entry);
  }

  private remove(entry: ActiveRun): void {
    this.active.delete(entry.run.folder);
    this.options.onChange(entry.run.folder, 'state');
    entry.claim.release();
  }

  private hear(entry: ActiveRun, message: News): void {
    const { folder } = entry.run;
    if (message.type === 'stage') {
      entry.stage = message.stage;
      this.options.onChange(folder, 'progress');
    } else if (message.type === 'recorded') this.options.onChange(folder, 'records');
    else if (message.type === 'progress') {
      entry.progress = message.progress;
      entry.stage = null;
      this.show(entry);
      this.options.onChange(folder, 'progress');
    } else if (message.type === 'paused') {
      entry.paused = message.paused;
      this.show(entry);
    } else if (message.type === 'stopping') {
      entry.activity = 'stopping';
      this.options.onChange(folder, 'state');
    }
  }

  private show(entry: ActiveRun): void {
    const { activity, paused, progress } = entry;
    if (activity === 'stopping') return;
    entry.activity = paused ? 'paused' : progress ? 'training' : 'starting';
    if (entry.activity !== activity) this.options.onChange(entry.run.folder, 'state');
  }
}

function newEntry(run: RunFolder, claim: Claim, activity: ActiveRun['activity']): ActiveRun {
  return { run, claim, activity, stage: null, progress: null, paused: false, early: [], killed: false };
}

function send({ link, early }: ActiveRun, message: ToTrainer): void {
  if (link) link.send(message);
  else early.push(message);
}
