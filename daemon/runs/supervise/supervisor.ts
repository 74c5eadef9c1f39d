import { UnimissError } from '../../../protocol/errors.ts';
import type { RunEnding, RunInfo } from '../../../protocol/runs/runInfo.ts';
import type { FromWorker } from '../../../protocol/runs/trainerMessages.ts';
import { isLocked, runIsHeld } from '../folder/lock.ts';
import type { RunFolder } from '../folder/runFolder.ts';
import { runState } from '../records/list.ts';
import { alreadyActive, isFinished, logText, notActive } from './errors.ts';
import { type Claim, DeviceLedger } from './deviceLedger.ts';
import { type TrainerCommand, TrainerProcess } from './trainerProcess.ts';
import { writeEnding } from './writeEnding.ts';

/** What the supervisor knows of a run beyond what is on the disk. */
export type LiveState = Pick<RunInfo, 'activity' | 'stage' | 'progress' | 'queue' | 'ending'>;

/** `state`: activity, queue or ending; `progress`: progress or stage; `records`: there are new records on the disk. */
export type RunChange = 'state' | 'progress' | 'records';

interface ActiveRun {
  run: RunFolder;
  /** Of its device. */
  claim: Claim;
  activity: NonNullable<RunInfo['activity']>;
  stage: string | null;
  progress: RunInfo['progress'];
  paused: boolean;
  trainer?: TrainerProcess;
  /** Resolves when the trainer is gone and the run says so. */
  done?: Promise<void>;
}

export interface SupervisorOptions {
  trainer: TrainerCommand;
  /** Asked for the device of each run; jobs ask the same. */
  devices?: DeviceLedger;
  onChange(folder: string, change: RunChange): void;
  log(level: 'info' | 'warning' | 'error', message: string): void;
}

/** `cpu`, or `cuda:1`: runs on one device wait for each other. */
export function deviceOf({ config }: RunFolder): string {
  return config.engine.device === 'cuda' ? `cuda:${config.engine.gpu ?? 0}` : 'cpu';
}

/**
 * Trains runs, each in a process of its own, as many at once as their devices allow; the others wait in the order in which they were
 * started. Whatever becomes of a process, the supervisor lives, and the run can be resumed. What it knows is in memory only:
 * how runs stand is on the disk.
 */
export class Supervisor {
  /** By folder, in the order of their start. */
  private readonly active = new Map<string, ActiveRun>();
  private readonly endings = new Map<string, RunEnding>();
  private readonly devices: DeviceLedger;
  private closing = false;

  constructor(private readonly options: SupervisorOptions) {
    this.devices = options.devices ?? new DeviceLedger();
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
    return { activity, stage, progress, queue: claim.place, ending };
  }

  /** Starts or resumes a run. @throws UnimissError 'run' where it is finished, or being trained already */
  async start(run: RunFolder, { wait = true } = {}): Promise<void> {
    const state = await runState(run);
    const present = this.active.get(run.folder);
    if (present) throw alreadyActive(run.id, present.activity);
    if (this.closing) throw new UnimissError('run', 'the daemon is ending', { remedy: 'Try again in a moment.' });
    if (state === 'finished') throw isFinished(run.id);
    if (isLocked(run.lockFile)) throw runIsHeld(run.lockFile);
    const claim = this.devices.claim({
      devices: [deviceOf(run)],
      who: run.id,
      whenBusy: wait ? 'wait' : 'share',
      onHeld: () => {
        this.launch(entry);
        this.options.onChange(run.folder, 'state');
      },
      onMoved: () => this.options.onChange(run.folder, 'state'),
    });
    const entry: ActiveRun = {
      run,
      claim,
      activity: 'queued',
      stage: null,
      progress: null,
      paused: false,
    };
    this.active.set(run.folder, entry);
    this.endings.delete(run.folder);
    if (claim.held) this.launch(entry);
    this.options.onChange(run.folder, 'state');
  }

  /** Holds a run after the step that it is at. */
  pause(run: RunFolder): void {
    const { trainer, activity } = this.get(run);
    if (activity === 'queued') throw notActive(run.id);
    trainer?.send({ type: 'pause' });
  }

  continue(run: RunFolder): void {
    this.get(run).trainer?.send({ type: 'continue' });
  }

  /** Asks a run to stop at its next step, with a checkpoint; a waiting one leaves the queue. */
  stop(run: RunFolder): void {
    this.stopEntry(this.get(run));
  }

  /** Ends the process of a run at once, and waits until it is gone; a waiting run leaves the queue. */
  async kill(run: RunFolder): Promise<void> {
    const entry = this.get(run);
    if (!entry.trainer) return this.stopEntry(entry);
    entry.trainer.kill();
    await entry.done;
  }

  /** How long the trainer of a run takes to answer, ms. */
  async ping(run: RunFolder): Promise<number> {
    const { trainer } = this.get(run);
    if (!trainer) throw notActive(run.id);
    return trainer.ping();
  }

  /** Stops all runs with a checkpoint, forgets the queue, starts nothing more; resolves when all trainers are gone. */
  async close(): Promise<void> {
    this.closing = true;
    const entries = [...this.active.values()];
    // Those that wait come first: the device of one that stops is not for them.
    for (const entry of entries.toSorted((a, b) => Number(a.claim.held) - Number(b.claim.held))) this.stopEntry(entry);
    await Promise.all(entries.map((entry) => entry.done));
  }

  /** Ends all trainers at once. */
  killAll(): void {
    for (const entry of this.active.values()) entry.trainer?.kill();
  }

  private get(run: RunFolder): ActiveRun {
    const entry = this.active.get(run.folder);
    if (!entry) throw isLocked(run.lockFile) ? runIsHeld(run.lockFile) : notActive(run.id);
    return entry;
  }

  private stopEntry(entry: ActiveRun): void {
    if (entry.trainer) {
      entry.trainer.send({ type: 'stop' });
      entry.activity = 'stopping';
    } else {
      this.active.delete(entry.run.folder);
      entry.claim.release();
    }
    this.options.onChange(entry.run.folder, 'state');
  }

  private launch(entry: ActiveRun): void {
    const { folder, id } = entry.run;
    entry.activity = 'starting';
    const trainer = new TrainerProcess(folder, this.options.trainer, (message) => this.hear(entry, message));
    entry.trainer = trainer;
    this.options.log('info', `${id}: trainer ${trainer.pid ?? '(none)'} started`);
    entry.done = trainer.ended.then((ending) => this.ended(entry, ending));
  }

  private hear(entry: ActiveRun, message: FromWorker): void {
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
    }
  }

  private show(entry: ActiveRun): void {
    const { activity, paused, progress } = entry;
    if (activity === 'stopping') return;
    entry.activity = paused ? 'paused' : progress ? 'training' : 'starting';
    if (entry.activity !== activity) this.options.onChange(entry.run.folder, 'state');
  }

  private async ended(entry: ActiveRun, ending: RunEnding): Promise<void> {
    const { run } = entry;
    const loud = ending.how === 'died' || ending.how === 'failed';
    this.options.log(loud ? 'error' : 'info', logText(run, ending));
    // While this is written the run's lock is held: it counts as active until then.
    await writeEnding(run, ending, (message) => this.options.log('warning', `${run.id}: ${message}`));
    this.active.delete(run.folder);
    this.endings.set(run.folder, ending);
    this.options.onChange(run.folder, 'state');
    entry.claim.release();
  }
}
