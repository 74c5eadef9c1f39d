import { version } from '../../package.json';
import type { Phase } from '../../protocol/config.ts';
import type { ResolvedConfig } from '../../protocol/resolveConfig.ts';
import { CheckpointStore } from '../checkpoint/store.ts';
import { views2DOptions, views3DOptions } from '../data/augment/options.ts';
import { type Dataset, openDataset } from '../data/dataset.ts';
import { type Loader, openLoader } from '../data/loader/index.ts';
import { featureLength } from '../model/config.ts';
import type { TrainingControl } from '../train/control.ts';
import { createPretrainState, type PretrainState } from '../train/pretrain/state.ts';
import { createPretrainStep } from '../train/pretrain/step.ts';
import { type CheckpointReason, pretrain, type TrainingPosition } from '../train/pretrain/trainer.ts';
import type { PretrainStep } from '../train/pretrain/types.ts';
import { executorsOf } from './executors.ts';
import { readInitialWeights } from './initialWeights.ts';
import { lockRun } from './lock.ts';
import { modelConfig } from './modelConfig.ts';
import { openRunEngine, type RunEngine } from './openRunEngine.ts';
import { savePreviews } from './previews.ts';
import { ProgressMeter } from './progress.ts';
import type { RunFolder } from './runFolder.ts';
import { RunJournal } from './runJournal.ts';
import type { RunListener } from './runListener.ts';
import { describePlan, planOf } from './runPlan.ts';
import { packCheckpoint, unpackCheckpoint } from './trainingCheckpoint.ts';

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
  private readonly loaders: Partial<Record<Phase, Loader>> = {};
  private readonly steps: Partial<Record<Phase, PretrainStep>> = {};
  private state: PretrainState | undefined;
  private readonly store: CheckpointStore;
  private readonly config: ResolvedConfig;

  constructor(
    private readonly run: RunFolder,
    private readonly control: TrainingControl,
    private readonly listener: RunListener,
    private readonly journal: RunJournal,
  ) {
    this.config = run.config;
    this.store = new CheckpointStore(run.checkpointsFolder, run.config.checkpoint);
  }

  async train(): Promise<'finished' | 'stopped'> {
    const { run, config, journal, listener } = this;
    listener.onStage?.('Looking at the images');
    const dataset = await this.openImages();
    const plan = planOf(config, dataset);
    listener.onStage?.('Opening TensorFlow');
    const before = await run.versions();
    const opened = await openRunEngine(config.engine, before, (message) => journal.event('warning', message));
    const model = modelConfig(config.model);
    const features = featureLength(model);
    const { initialWeights, seed } = config.train;
    const begun = (await this.store.list()).length > 0;
    const start = initialWeights !== null && !begun ? await readInitialWeights(initialWeights, model) : seed;
    const state = createPretrainState(opened.engine, model, start);
    this.state = state;
    const from = await this.resumeFrom(state);
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
        for (const warning of record.warnings) journal.log('warning', `Epoch ${record.epoch + 1}: ${warning}`);
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
      saveCheckpoint: (position, reason, meanLoss) => this.save(state, features, position, reason, meanLoss),
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

  private async openImages(): Promise<Dataset> {
    const { data } = this.config;
    const dataset = await openDataset({
      ...(data.paths && { paths: data.paths }),
      ...(data.manifest !== undefined && { manifest: data.manifest }),
      maxBroken: data.maxBroken,
      // At once: too many of them end the run with a message that lists them.
      onBroken: (image) => this.journal.hideNames([image.id]),
    });
    this.journal.hideNames([...dataset.samples2D, ...dataset.samples3D].map((sample) => sample.path));
    return dataset;
  }

  /** Takes over the last good checkpoint and forgets what was recorded after it; step 0 where there is none. */
  private async resumeFrom(state: PretrainState): Promise<TrainingPosition> {
    const notices: string[] = [];
    const saved = await this.store.latestGood((message) => notices.push(message), { setAside: true });
    try {
      const position = saved ? await unpackCheckpoint(saved.tensors, state) : { step: 0 };
      await this.journal.cutAfter(position.step);
      for (const notice of notices) this.journal.event('warning', notice, { step: position.step });
      return position;
    } finally {
      await saved?.tensors.close();
    }
  }

  private compile(
    { engine }: RunEngine,
    state: PretrainState,
    phase: Phase,
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

  private loader(dataset: Dataset, phase: Phase): Loader {
    const existing = this.loaders[phase];
    if (existing) return existing;
    const { data, train, model, views } = this.config;
    const loader = openLoader({
      dataset,
      phase,
      seed: train.seed,
      workers: data.workers,
      batch: train.batch[phase] * train.accumulate,
      views2D: { ...views2DOptions(model.size2D), area: views.area2D },
      views3D: { ...views3DOptions(model.size3D, views.volumeDraws), crop: views.crop3D },
      resample: data.resample ? { spacing: data.spacing, cache: data.cache } : false,
      onBroken: (image) => this.journal.event('broken', `${image.id}: ${image.reason}`, { file: image.id }),
      onNotice: (message, kind) => this.journal.event('notice', message, { details: { kind } }),
      told: this.journal.toldKinds,
    });
    this.loaders[phase] = loader;
    return loader;
  }

  private async save(
    state: PretrainState,
    features: number,
    position: TrainingPosition,
    reason: CheckpointReason,
    meanLoss?: number,
  ): Promise<void> {
    await this.journal.sync();
    const { tensors, metadata } = packCheckpoint(state, position, features);
    const saved = await this.store.save(position.step, tensors, metadata, meanLoss);
    this.journal.event('checkpoint', `Saved after step ${position.step} (${because[reason]})`, {
      step: position.step,
      file: `checkpoints/${saved.file.split('/').at(-1)}`,
      details: { bytes: saved.bytes },
    });
  }
}

const because: Record<CheckpointReason, string> = {
  time: 'it was time',
  epoch: 'end of an epoch',
  stop: 'stop requested',
  finish: 'the end',
};

function versionsOf({ engine, device, threads }: RunEngine, executors: Record<Phase, 'graph' | 'xla' | 'eager'>) {
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
