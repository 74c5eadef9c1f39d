import { version } from '../../../package.json';
import type { ResolvedConfig } from '../../../protocol/config/index.ts';
import type { Modality } from '../../../protocol/modality.ts';
import { warningText } from '../../../protocol/records/warning.ts';
import type { Dataset } from '../../data/datasets/unlabelled.ts';
import type { Loader } from '../../data/loader/index.ts';
import { featureLength } from '../../model/config.ts';
import type { TrainingControl } from '../../train/control.ts';
import { createPretrainState, type PretrainState } from '../../train/pretrain/state.ts';
import { createPretrainStep } from '../../train/pretrain/step.ts';
import { pretrain } from '../../train/pretrain/trainer.ts';
import type { PretrainStep } from '../../train/pretrain/types.ts';
import { ProgressMeter } from '../../train/progress.ts';
import { RunCheckpoints } from '../checkpoint/runCheckpoints.ts';
import { lockRun } from '../folder/lock.ts';
import type { RunFolder } from '../folder/runFolder.ts';
import { savePreviews } from '../records/previews.ts';
import { RunJournal } from '../records/runJournal.ts';
import type { RunListener } from '../records/runListener.ts';
import { executorsOf } from './executors.ts';
import { readInitialWeights } from './initialWeights.ts';
import { modelConfig } from './modelConfig.ts';
import { openRunEngine, type RunEngine } from './openRunEngine.ts';
import { openImages, openRunLoader } from './runImages.ts';
import { describePlan, planOf } from './runPlan.ts';

/**
 * Trains a run in this process until it is finished or a stop is asked for, from its last good checkpoint if it has one.
 * Holds the run's lock meanwhile. Everything it has to say is in the run's records and log.
 * @throws UnimissError; the run's records end with it as an 'error' event
 */
export async function trainRun(
  run: RunFolder,
  control: TrainingControl,
  listener: RunListener = {},
): Promise<'finished' | 'stopped'> {
  // Only what the daemon starts has a channel to its parent.
  const lock = await lockRun(run.lockFile, process.send ? 'daemon' : 'terminal');
  try {
    const journal = await RunJournal.open(run, listener);
    try {
      const session = new Session(run, control, listener, journal);
      try {
        return await session.train();
      } catch (error) {
        journal.error(error);
        throw error;
      } finally {
        await session.close();
      }
    } finally {
      journal.close();
    }
  } finally {
    lock.release();
  }
}

/** One start of a run: what is opened for it and closed after it. */
class Session {
  private readonly loaders: Partial<Record<Modality, Loader>> = {};
  private readonly steps: Partial<Record<Modality, PretrainStep>> = {};
  private state: PretrainState | undefined;
  private readonly checkpoints: RunCheckpoints;
  private readonly config: ResolvedConfig;

  constructor(
    private readonly run: RunFolder,
    private readonly control: TrainingControl,
    private readonly listener: RunListener,
    private readonly journal: RunJournal,
  ) {
    this.config = run.config;
    this.checkpoints = new RunCheckpoints(run, journal);
  }

  async train(): Promise<'finished' | 'stopped'> {
    const { run, config, journal, listener, checkpoints } = this;
    listener.onStage?.('Looking at the images');
    const dataset = await openImages(config, journal);
    const plan = planOf(config, dataset);
    listener.onStage?.('Opening TensorFlow');
    const before = await run.versions();
    const opened = await openRunEngine(config.engine, before, (message) => journal.event('warning', message));
    const model = modelConfig(config.model);
    const features = featureLength(model);
    const { initialWeights, seed } = config.train;
    const start =
      initialWeights !== null && !(await checkpoints.begun()) ? await readInitialWeights(initialWeights, model) : seed;
    const state = createPretrainState(opened.engine, model, start);
    this.state = state;
    const from = await checkpoints.resume(state);
    for (const notice of run.notices) journal.event('notice', notice, { step: from.step });
    for (const image of dataset.broken)
      journal.event('broken', `${image.id}: ${image.reason}`, { file: image.id, step: from.step });
    const executors = await executorsOf(config, opened, plan, before, (message) => journal.event('notice', message));
    await run.writeVersions(versionsOf(opened, executors));
    const event = from.step > 0 ? 'resume' : 'start';
    journal.event(
      event,
      `${event === 'start' ? 'Started' : `Resumed after step ${from.step}`}: ${describePlan(plan, dataset)}, on ${opened.device}`,
      { step: from.step },
    );

    const progress = new ProgressMeter(plan);
    const outcome = await pretrain({
      config,
      plan,
      featureLength: features,
      from,
      control: this.control,
      stepFor: (phase) => (this.steps[phase] ??= this.compile(opened, state, phase, executors[phase])),
      batches: (phase, epoch, range) => this.loader(dataset, phase).epoch(epoch, range),
      prepare: (phase, epoch, range) => this.loader(dataset, phase).prepare(epoch, range),
      onStep: (record) => {
        journal.record(record);
        listener.onProgress?.(progress.update(record));
      },
      onEpoch: (record) => {
        journal.record(record);
        for (const warning of record.warnings)
          journal.log('warning', `Epoch ${record.epoch + 1}: ${warningText(warning)}`);
      },
      onFirstBatch: async (batch) => {
        if (!config.records.previews) return;
        const images = await savePreviews(run, batch, config.model);
        const step = plan.epochs[batch.epoch]?.firstStep ?? 0;
        journal.event('preview', `Views of epoch ${batch.epoch + 1}`, {
          step,
          epoch: batch.epoch,
          details: { phase: batch.phase, images },
        });
      },
      saveCheckpoint: (position, reason, meanLoss) => checkpoints.save(state, features, position, reason, meanLoss),
    });
    if (outcome === 'finished') journal.event('finish', `Finished after ${plan.steps} steps`, { step: plan.steps });
    else journal.event('stop', 'Stopped on request; `unimiss resume` goes on from here');
    return outcome;
  }

  async close(): Promise<void> {
    await Promise.all(Object.values(this.loaders).map((loader) => loader.close()));
    for (const step of Object.values(this.steps)) step.dispose();
    this.state?.dispose();
  }

  private compile(
    { engine }: RunEngine,
    state: PretrainState,
    phase: Modality,
    executor: 'graph' | 'xla' | 'eager',
  ): PretrainStep {
    const { train, model } = this.config;
    this.listener.onStage?.(`Preparing the ${phase} step`);
    return createPretrainStep(engine, state, {
      phase,
      batch: train.batch[phase] * train.accumulate,
      accumulate: train.accumulate,
      executor,
      clipGradient: train.clipGradient ?? Number.POSITIVE_INFINITY,
      dropPath: model.dropPath,
      studentTemperature: train.studentTemperature,
      centerMomentum: train.centerMomentum,
    });
  }

  private loader(dataset: Dataset, phase: Modality): Loader {
    this.loaders[phase] ??= openRunLoader(this.config, dataset, phase, this.journal);
    return this.loaders[phase];
  }
}

function versionsOf({ engine, device, threads }: RunEngine, executors: Record<Modality, 'graph' | 'xla' | 'eager'>) {
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
