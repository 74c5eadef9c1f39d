import type { RunFolder } from '../../runs/folder/runFolder.ts';
import { trainerWithJobs } from '../../runs/jobs/trainer.ts';
import { seriesFor, type Task } from '../../runs/start/task.ts';
import { settleRun } from '../../runs/supervise/settleRun.ts';
import { TrainingControl } from '../../train/control.ts';
import { onInterrupt } from '../terminal/interrupt.ts';
import type { Reporter } from '../terminal/reporter.ts';
import { RunDisplay } from '../terminal/runDisplay.ts';

/**
 * Trains a run in this process (`--foreground`), with progress. Ctrl-C stops it at the next step with a checkpoint; a second one
 * ends the process at once.
 */
export async function trainHere(
  run: RunFolder,
  reporter: Reporter,
  tasks: readonly Task[],
): Promise<'finished' | 'stopped'> {
  const control = new TrainingControl();
  const interrupt = onInterrupt(
    (signal) => {
      reporter.notice(
        'Finishing the current step, then saving a checkpoint and stopping. Press Ctrl-C again to exit now, without a checkpoint.',
      );
      control.stop({ by: 'signal', signal });
    },
    () => `Ended at once: the steps since the last checkpoint are lost. Resume with:  unimiss resume ${run.id}`,
  );
  const display = new RunDisplay(reporter, seriesFor(run, tasks));
  // This process takes the lock now; after that, the lock no longer names a trainer that died.
  const ending = await settleRun(run, (message) => reporter.notice(message));
  if (ending) reporter.notice(`Previous start: ${ending.message}`);
  try {
    return await trainerWithJobs(tasks)(run, control, {
      onStage: (stage) => display.stage(stage),
      onProgress: (progress) => display.progress(progress),
      onRecord: (record) => display.record(record),
    });
  } finally {
    interrupt.dispose();
  }
}
