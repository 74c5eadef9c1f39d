import { version } from '../../../package.json';
import type { RunVersions } from '../../../protocol/records/records.ts';
import { warningText } from '../../../protocol/records/warning.ts';
import { diskError, removePartial } from '../../files/atomic.ts';
import { makeFolder } from '../../files/folder.ts';
import type { StopCause, TrainingControl } from '../../train/control.ts';
import { type LoopOutcome, type TrainingPosition, trainLoop } from '../../train/loop.ts';
import { ProgressMeter } from '../../train/progress.ts';
import type { Training } from '../../train/training.ts';
import { RunCheckpoints } from '../checkpoint/runCheckpoints.ts';
import { type Holder, lockRun } from '../folder/lock.ts';
import type { RunFolder } from '../folder/runFolder.ts';
import { savePreviews } from '../records/previews.ts';
import { RunJournal } from '../records/runJournal.ts';
import type { RunListener } from '../records/runListener.ts';
import { type Executors, executorsOf } from './executors.ts';
import { openRunEngine, type RunEngine } from './openRunEngine.ts';
import { seriesFor, type Task, taskOf } from './task.ts';

/** What work behind a training gets. */
export interface AfterTrainingOn {
  stage(what: string): void;
  notice(message: string): void;
  warning(message: string): void;
  stopRequested(): boolean;
}

/**
 * Work that belongs to a run but needs its finished network: predictions. The training is closed, its last checkpoint written.
 * @returns false where it stopped on request before its end: the run is not finished then, and a resume does it again
 */
export type AfterTraining = (run: RunFolder, on: AfterTrainingOn) => Promise<boolean>;

/**
 * Makes the function that trains a run in this process, from its last good checkpoint if it has one, until it is finished or
 * stopped. It holds the run's lock meanwhile, and reports everything in the run's records and log.
 * @param tasks the kinds of runs that it can train
 * @param after follows a finished training
 * @returns a function that throws UnimissError; the run's records end with it as an 'error' event
 */
export function trainerOf(tasks: readonly Task[], after: AfterTraining = async () => true) {
  return async (
    run: RunFolder,
    control: TrainingControl,
    listener: RunListener = {},
    holder: Holder = { trainsFor: 'terminal' },
  ): Promise<LoopOutcome['ended']> => {
    const lock = await lockRun(run.lockFile, holder);
    try {
      await tidy(run);
      const journal = await RunJournal.open(run, seriesFor(run, tasks), listener);
      try {
        return await train({ run, control, listener, journal, task: taskOf(run.config, tasks), after });
      } catch (error) {
        journal.error(error);
        throw error;
      } finally {
        journal.close();
      }
    } finally {
      lock.release();
    }
  };
}

interface Start {
  readonly run: RunFolder;
  readonly control: TrainingControl;
  readonly listener: RunListener;
  readonly journal: RunJournal;
  readonly task: Task;
  readonly after: AfterTraining;
}

/** Removes incomplete files of a killed process. */
async function tidy(run: RunFolder): Promise<void> {
  try {
    await makeFolder(run.previewsFolder);
    for (const folder of [run.folder, run.previewsFolder]) await removePartial(folder);
  } catch (error) {
    throw diskError(error, run.folder);
  }
}

/** One start of a run: the engine, the training, the last checkpoint, the loop. */
async function train(start: Start): Promise<LoopOutcome['ended']> {
  const { run, control, listener, journal, task, after } = start;
  const { config } = run;
  const stage = (what: string) => listener.onStage?.(what);
  const checkpoints = new RunCheckpoints(run, journal, run.task);
  const saved = await checkpoints.latest();
  let training: Training | undefined;
  try {
    stage('Opening TensorFlow');
    const before = await run.versions();
    const engine = await openRunEngine(config.engine, before, (message) => journal.event('warning', message));
    training = await task.open(config, { run, engine, journal, resumes: saved !== undefined, stage });
    const from = await checkpoints.resume(saved, training.state);
    for (const notice of run.notices) journal.noticeOnce(notice, from.step);
    for (const { event, message, ...more } of training.findings)
      journal.event(event, message, { ...more, step: from.step });
    const notice = (message: string) => journal.event('notice', message);
    const executors = await executorsOf(training, { asked: config.engine.executor, before, on: engine, notice });
    training.executors?.use(executors);
    await run.writeVersions(versionsOf(engine, executors));
    const begins = from.step > 0 ? `Resumed after step ${from.step}` : 'Started';
    const started = `${begins}: ${training.description}, on ${engine.device}`;
    journal.event(from.step > 0 ? 'resume' : 'start', started, { step: from.step });
    const outcome = await loopOver(training, { ...start, checkpoints, from });
    await training.close(); // its memory is free for what follows
    training = undefined;
    const complete =
      outcome.ended === 'stopped' ||
      (await after(run, {
        stage,
        notice: (message) => journal.event('notice', message),
        warning: (message) => journal.event('warning', message),
        stopRequested: () => control.stopRequested,
      }));
    const ended = complete ? outcome.ended : 'stopped';
    recordEnd(journal, { ...outcome, ended }, control.stopCause);
    return ended;
  } finally {
    await saved?.close();
    await training?.close();
  }
}

interface Surroundings extends Start {
  readonly checkpoints: RunCheckpoints;
  readonly from: TrainingPosition;
}

/** Runs the loop with records, progress, previews and checkpoints. */
function loopOver(training: Training, around: Surroundings): Promise<LoopOutcome> {
  const { run, control, listener, journal, task, checkpoints, from } = around;
  const progress = new ProgressMeter(training.plan, task.series);
  return trainLoop({
    training,
    from,
    control,
    checkpoint: run.config.checkpoint,
    previews: run.config.records.previews,
    onStep: (record) => {
      journal.record(record);
      listener.onProgress?.(progress.update(record));
    },
    onEpoch: (record) => {
      journal.record(record);
      for (const warning of record.warnings)
        journal.log('warning', `Epoch ${record.epoch + 1}: ${warningText(warning)}`);
    },
    onPreview: async ({ step, epoch: plan }, shown) => {
      const images = await savePreviews(run, plan, shown);
      const { epoch, group: phase } = plan;
      const names = shown.map(({ name }) => name ?? null);
      journal.event('preview', `Preview saved (epoch ${epoch + 1})`, {
        step,
        epoch,
        details: { phase, images, names },
      });
    },
    save: (position, reason, score) => checkpoints.save(training.state, position, reason, score),
  });
}

function recordEnd(journal: RunJournal, { ended, step, enough }: LoopOutcome, cause: StopCause | undefined): void {
  if (ended === 'stopped') journal.event('stop', ...stopEvent(cause));
  else journal.event('finish', `Finished after ${step} steps${enough === undefined ? '' : `: ${enough}`}`, { step });
}

/** Message and details of the event that names the cause of a stop. It claims a request only if someone made it. */
function stopEvent(cause: StopCause | undefined): [message: string, more: { details: Record<string, string> }] {
  const what = cause?.by === 'signal' ? `Stopped by ${cause.signal}` : 'Stopped on request';
  return [`${what}, with a checkpoint. Resume continues from here.`, { details: { ...cause } }];
}

function versionsOf({ engine, device, threads }: RunEngine, executors: Executors): RunVersions {
  return {
    unimiss: version,
    node: process.version,
    tensorflow: engine.version,
    platform: `${process.platform}-${process.arch}`,
    device,
    executors,
    threads,
  };
}
