import { UnimissError } from '../../protocol/errors.ts';
import type { EpochRecord, StepRecord } from '../../protocol/records/records.ts';
import type { Score } from '../checkpoint/score.ts';
import type { TrainingControl } from './control.ts';
import { type EpochPlan, epochOf } from './plan.ts';
import type { EpochOutcome, PreviewImage, StepOutcome, StepPlace, Training, TrainingBatch } from './training.ts';

/** The position of a run: steps done, and the seconds of those in the epoch of the next step. */
export interface TrainingPosition {
  readonly step: number;
  readonly epochSeconds: number;
}

/** The reason for a checkpoint. */
export type CheckpointReason = 'time' | 'epoch' | 'stop' | 'finish';

export interface LoopOptions {
  readonly training: Training;
  readonly from: TrainingPosition;
  readonly control: TrainingControl;
  /** When a checkpoint is due, besides stop and end; null: never. */
  readonly checkpoint: { readonly everyMinutes: number | null; readonly everyEpochs: number | null };
  readonly previews: boolean;
  onStep(record: StepRecord): void;
  onEpoch(record: EpochRecord): void;
  /** Receives pictures of one batch of each epoch, before its step. */
  onPreview(at: StepPlace, images: readonly PreviewImage[]): Promise<void>;
  /** @param score score of the epoch that has just ended, if it has one */
  save(position: TrainingPosition, reason: CheckpointReason, score?: Score): Promise<void>;
}

export interface LoopOutcome {
  readonly ended: 'finished' | 'stopped';
  /** Steps done in all. */
  readonly step: number;
  /** Why it finished before the end of its plan. */
  readonly enough?: string;
}

/**
 * Trains: executes the plan step by step, and writes records and checkpoints.
 * @returns whether the plan finished or a stop was requested; in both cases a checkpoint was written
 * @throws UnimissError 'diverged' for a loss that is not finite: no checkpoint is written from it
 */
export async function trainLoop(options: LoopOptions): Promise<LoopOutcome> {
  const loop = new Loop(options);
  const { plan } = options.training;
  const enough = options.training.enough?.();
  if (enough !== undefined) return { ended: 'finished', step: loop.step, enough };
  while (loop.step < plan.steps) {
    const epoch = epochOf(plan, loop.step);
    if (await loop.stepsOf(epoch)) {
      const outcome = await loop.endEpoch(epoch);
      if (outcome.enough !== undefined) return { ended: 'finished', step: loop.step, enough: outcome.enough };
      if (loop.stopRequested && loop.step < plan.steps) return { ended: 'stopped', step: loop.step };
    } else if (loop.stopRequested) {
      await loop.save('stop');
      return { ended: 'stopped', step: loop.step };
    } else
      throw new UnimissError(
        'internal',
        `epoch ${epoch.epoch + 1} ended after ${loop.step - epoch.firstStep} of ${epoch.steps} steps`,
      );
  }
  return { ended: 'finished', step: loop.step };
}

/** A step that was called and may not have ended. */
interface CalledStep {
  readonly at: StepPlace;
  readonly batch: TrainingBatch;
  /** When it was called, ms. */
  readonly called: number;
  /** Its outcome, and when it ended, ms. */
  readonly outcome: Promise<readonly [StepOutcome, ended: number]>;
}

class Loop {
  /** Steps that have ended and are recorded. */
  step: number;
  private running: CalledStep | undefined;
  /** When the last step ended, ms. */
  private ended = 0;
  private epochSeconds: number;
  private saved = performance.now();
  private readonly recentLosses: number[] = [];

  constructor(private readonly options: LoopOptions) {
    ({ step: this.step, epochSeconds: this.epochSeconds } = options.from);
  }

  /** Steps that were called: one more while the last one runs. */
  private get called(): number {
    return this.step + (this.running ? 1 : 0);
  }

  get stopRequested(): boolean {
    return this.options.control.stopRequested;
  }

  /** Executes the remaining steps of the epoch. @returns whether all are done */
  async stepsOf(epoch: EpochPlan): Promise<boolean> {
    const { training, control, previews, from, checkpoint } = this.options;
    const begin = this.step - epoch.firstStep;
    const end = epoch.firstStep + epoch.steps;
    const next = training.plan.epochs[epoch.epoch + 1];
    if (this.step === from.step) training.prepare(epoch, begin);
    const shown = epoch.firstStep + (training.previewBatch?.(epoch) ?? 0);
    try {
      for await (const batch of training.batches(epoch, begin)) {
        if (control.pauseRequested || control.stopRequested) await this.drain();
        await control.proceed();
        if (control.stopRequested) break;
        if (this.called === shown && previews && training.preview) {
          await this.drain();
          await this.options.onPreview({ step: shown, epoch }, training.preview(batch, epoch));
        }
        if (next?.firstStep === this.called + 1) training.prepare(next, 0);
        await this.one({ step: this.called, epoch }, batch);
        if (this.called === end) break;
        if (this.minutesSinceSave() >= (checkpoint.everyMinutes ?? Number.POSITIVE_INFINITY)) {
          await this.drain();
          await this.save('time');
        }
      }
    } finally {
      await this.drain();
    }
    return this.step === end;
  }

  async endEpoch(epoch: EpochPlan): Promise<EpochOutcome> {
    const { training, checkpoint, onEpoch } = this.options;
    const outcome = await training.endEpoch(epoch);
    onEpoch({
      kind: 'epoch',
      epoch: epoch.epoch,
      group: epoch.group,
      step: this.step - 1,
      steps: epoch.steps,
      loss: outcome.loss,
      seconds: this.epochSeconds,
      values: { ...outcome.values },
      ...(outcome.intervals && { intervals: intervalsOf(outcome.intervals) }),
      warnings: [...outcome.warnings],
      time: new Date().toISOString(),
    });
    this.epochSeconds = 0;
    const finished = this.step === training.plan.steps || outcome.enough !== undefined;
    const due = checkpoint.everyEpochs !== null && (epoch.epoch + 1) % checkpoint.everyEpochs === 0;
    if (finished || due || this.stopRequested)
      await this.save(finished ? 'finish' : this.stopRequested ? 'stop' : 'epoch', outcome.score);
    return outcome;
  }

  async save(reason: CheckpointReason, score?: Score): Promise<void> {
    await this.options.save({ step: this.step, epochSeconds: this.epochSeconds }, reason, score);
    this.saved = performance.now();
  }

  /** Calls a step and waits for its end; if the training queues, for that of the step before, so that the device is never idle. */
  private async one(at: StepPlace, batch: TrainingBatch): Promise<void> {
    const { training } = this.options;
    const before = this.running;
    const called = performance.now();
    const outcome = training.step(at, batch).then((result) => [result, performance.now()] as const);
    outcome.catch(() => undefined); // its error is thrown where it is awaited
    this.running = { at, batch, called, outcome };
    if (before) await this.end(before);
    if (!training.queues) await this.drain();
  }

  /** Waits until every step that was called has ended, and records it. */
  private async drain(): Promise<void> {
    const { running } = this;
    this.running = undefined;
    if (running) await this.end(running);
  }

  private async end(step: CalledStep): Promise<void> {
    try {
      this.record(step, ...(await step.outcome));
    } catch (error) {
      // What follows a step that failed is worth nothing, but must have ended before anything is closed.
      await this.running?.outcome.catch(() => undefined);
      this.running = undefined;
      throw error;
    }
  }

  private record({ at, batch, called }: CalledStep, outcome: StepOutcome, ended: number): void {
    this.requireFinite(at, outcome);
    // A step that was called during the one before begins when that ends, and has waited for its batch only as long as nothing ran.
    const stepMs = ended - Math.max(called, this.ended);
    const waitMs = Math.min(batch.waitMs, Math.max(0, called - this.ended));
    this.ended = ended;
    const seconds = (stepMs + waitMs) / 1000;
    this.epochSeconds += seconds;
    this.step++;
    this.options.onStep({
      kind: 'step',
      step: at.step,
      epoch: at.epoch.epoch,
      group: at.epoch.group,
      loss: outcome.loss,
      values: { ...outcome.values, imagesPerSecond: batch.images / seconds },
      stepMs,
      waitMs,
      rssMiB: process.memoryUsage.rss() / 2 ** 20,
      time: new Date().toISOString(),
    });
  }

  /** @throws UnimissError 'diverged' */
  private requireFinite({ step, epoch }: StepPlace, { loss, values }: StepOutcome): void {
    const numbers = Object.entries(values);
    if (Number.isFinite(loss) && numbers.every(([, value]) => Number.isFinite(value))) {
      this.recentLosses.push(loss);
      if (this.recentLosses.length > 5) this.recentLosses.shift();
      return;
    }
    const before = this.recentLosses.map((each) => each.toFixed(3)).join(', ') || 'none';
    const group = epoch.group === null ? '' : `${epoch.group}, `;
    throw new UnimissError(
      'diverged',
      `the loss is ${loss} (${numbers.map(([key, value]) => `${key} ${+value.toPrecision(4)}`).join(', ')})`,
      {
        place: `step ${step + 1} (${group}losses before: ${before})`,
        remedy:
          'This step was not saved. With the same settings the run would diverge again: start a new one with a lower train.lr or train.clipGradient, or a larger train.warmupEpochs.',
      },
    );
  }

  private minutesSinceSave(): number {
    return (performance.now() - this.saved) / 60_000;
  }
}

function intervalsOf(intervals: NonNullable<EpochOutcome['intervals']>): EpochRecord['intervals'] {
  return Object.fromEntries(Object.entries(intervals).map(([key, [low, high]]) => [key, [low, high]]));
}
