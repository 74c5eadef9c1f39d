import type { RunRecord, StepRecord } from '../../../protocol/records/records.ts';
import type { Series } from '../../../protocol/records/series.ts';
import { warningText } from '../../../protocol/records/warning.ts';
import { thousands } from '../../../protocol/words.ts';
import type { RunProgress } from '../../train/progress.ts';
import { exitCodes } from './exitCodes.ts';
import { duration, type Reporter } from './reporter.ts';

/** Shows a run in training in the terminal, whichever process trains it: a progress line, and what people should see at once. */
export class RunDisplay {
  private shown: RunProgress | undefined;
  private lastStep: StepRecord | undefined;

  /** @param series catalogue of the run's numbers */
  constructor(
    private readonly reporter: Reporter,
    private readonly series: readonly Series[],
  ) {}

  /** The current stage of preparation, or what the run waits for. */
  stage(stage: string): void {
    this.reporter.progress(stage, false);
  }

  progress(progress: RunProgress): void {
    if (progress.step === this.shown?.step) return;
    this.shown = progress;
    this.reporter.progress(progressLine(progress, this.series), progress.step === progress.totalSteps);
  }

  /** The run is complete. Completes the line too, even if the last report came before the last step. */
  finished(): void {
    const { shown, lastStep } = this;
    if (!shown || !lastStep || shown.step === shown.totalSteps) return;
    const { step, epoch, group, loss, values } = lastStep;
    this.progress({ ...shown, step: step + 1, epoch, group, loss, values, secondsLeft: 0 });
  }

  record(record: RunRecord): void {
    if (record.kind === 'step') this.lastStep = record;
    this.reporter.record(record);
    const said = noteworthy(record);
    if (said) this.reporter.notice(said);
  }
}

/** Ends a command whose run was stopped on request: says how to continue, and sets the exit code. */
export function endStopped(id: string, reporter: Reporter, dequeued = false): void {
  reporter.notice(
    dequeued
      ? `Removed from the queue. Start it with:  unimiss resume ${id}`
      : `Stopped. Resume with:  unimiss resume ${id}`,
  );
  process.exitCode = exitCodes.interrupted.code;
}

/** `epoch 3/200 · 2D · step 41/5000 · loss 6.912 · 12.3 images/s · 1 h 05 min left` */
function progressLine(p: RunProgress, series: readonly Series[]): string {
  const numbers = series.flatMap(({ key, of, title, unit, inProgress }) => {
    const value = of === 'step' ? p.values[key] : undefined;
    if (value === undefined || inProgress === undefined) return [];
    const what = p.group === '3D' ? unit.replace(/^images/, 'volumes') : unit;
    return [`${value.toFixed(inProgress)} ${what || title}`];
  });
  return [
    `epoch ${thousands(p.epoch + 1)}/${thousands(p.totalEpochs)}`,
    ...(p.group === null ? [] : [p.group]),
    `step ${thousands(p.step)}/${thousands(p.totalSteps)}`,
    `loss ${p.loss.toFixed(3)}`,
    ...numbers,
    ...(p.secondsLeft === undefined ? [] : [`${duration(p.secondsLeft)} left`]),
  ].join(' · ');
}

/** Text of a record that people should see at once. The code that catches an error shows it. */
function noteworthy(record: RunRecord): string | undefined {
  if (record.kind === 'epoch')
    return record.warnings.map((w) => `Warning, epoch ${record.epoch + 1}: ${warningText(w)}`).join('\n') || undefined;
  if (record.kind !== 'event') return undefined;
  if (record.event === 'broken') return `Broken image: ${record.message}`;
  // How a process ended is the error with which the command ends.
  if (record.event === 'warning') return record.details?.how === undefined ? `Warning: ${record.message}` : undefined;
  if (record.event === 'start' || record.event === 'resume' || record.event === 'notice') return record.message;
  return undefined;
}
