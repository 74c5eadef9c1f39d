import { basename } from 'node:path';
import type { RunRecord } from '../../protocol/records.ts';
import type { RunProgress } from '../runs/progress.ts';
import type { RunFolder } from '../runs/runFolder.ts';
import { trainRun } from '../runs/trainRun.ts';
import { TrainingControl } from '../train/control.ts';
import { exitCodes } from './exitCodes.ts';
import { interruptSignal } from './interrupt.ts';
import { duration, type Reporter } from './reporter.ts';

/**
 * Trains a run in this process, with progress. Ctrl-C stops it at the next step with a checkpoint (exit code 130), a second one
 * ends the process at once.
 */
export async function trainInTerminal(run: RunFolder, reporter: Reporter): Promise<'finished' | 'stopped'> {
  const control = new TrainingControl();
  interruptSignal(() => {
    reporter.notice('Stopping at the next step, with a checkpoint. Ctrl-C again ends at once, without.');
    control.stop();
  });
  const outcome = await trainRun(run, control, {
    onStage: (stage) => reporter.progress(stage, false),
    onProgress: (progress) => reporter.progress(progressLine(progress), progress.step === progress.totalSteps),
    onRecord: (record) => {
      reporter.record(record);
      const said = noteworthy(record);
      if (said) reporter.notice(said);
    },
  });
  if (outcome === 'stopped') {
    reporter.notice(`Stopped. Go on with:  unimiss resume ${basename(run.folder)}`);
    process.exitCode = exitCodes.interrupted.code;
  } else reporter.notice(`Finished. Look at it with:  unimiss metrics ${basename(run.folder)}`);
  return outcome;
}

/** `epoch 3/200 · 2D · step 41/5000 · loss 6.912 · 12.3 images/s · 1 h 05 min left` */
export function progressLine(p: RunProgress): string {
  const left = p.secondsLeft === undefined ? '' : ` · ${duration(p.secondsLeft)} left`;
  return `epoch ${p.epoch + 1}/${p.totalEpochs} · ${p.phase} · step ${p.step}/${p.totalSteps} · loss ${p.loss.toFixed(3)} · ${p.imagesPerSecond.toFixed(1)} images/s${left}`;
}

/** What of the records people should see at once. An error is shown by whoever catches it. */
function noteworthy(record: RunRecord): string | undefined {
  if (record.kind === 'epoch')
    return record.warnings.map((w) => `Warning, epoch ${record.epoch + 1}: ${w}`).join('\n') || undefined;
  if (record.kind !== 'event') return undefined;
  if (record.event === 'broken') return `Broken image: ${record.message}`;
  if (record.event === 'warning') return `Warning: ${record.message}`;
  if (record.event === 'start' || record.event === 'resume' || record.event === 'notice') return record.message;
  return undefined;
}
