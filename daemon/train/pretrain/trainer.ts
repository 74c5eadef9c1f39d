import type { ResolvedConfig } from '../../../protocol/config/index.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import type { Modality } from '../../../protocol/modality.ts';
import type { EpochRecord, StepRecord } from '../../../protocol/records/records.ts';
import { lossTerms } from '../../../protocol/records/series.ts';
import type { BatchRange, ViewBatch } from '../../data/loader/types.ts';
import { Random } from '../../data/random.ts';
import { collapseWarnings } from '../../evaluate/features/collapse.ts';
import type { TrainingControl } from '../control.ts';
import { epochOf, type RunPlan } from '../plan.ts';
import { EpochMeter, type MeterState } from './epochMeter.ts';
import { ratesOf } from './rates.ts';
import type { PretrainStep, PretrainStepResult } from './types.ts';

/** Where a run stands: `step` steps are done; `meter` holds the sums of the epoch that the next step belongs to. */
export interface TrainingPosition {
  step: number;
  meter?: MeterState;
}

/** Why a checkpoint is written. */
export type CheckpointReason = 'time' | 'epoch' | 'stop' | 'finish';

export interface PretrainOptions {
  config: ResolvedConfig;
  plan: RunPlan;
  featureLength: number;
  /** The compiled step of a phase; asked for when the phase begins. */
  stepFor: (phase: Modality) => PretrainStep;
  /** Batches of an epoch that are numbered so: one a step. */
  batches: (phase: Modality, epoch: number, range: Required<BatchRange>) => AsyncIterable<ViewBatch>;
  /** Begins to make the first of them, while the last step before the epoch runs. */
  prepare: (phase: Modality, epoch: number, range: Required<BatchRange>) => void;
  from: TrainingPosition;
  control: TrainingControl;
  onStep: (record: StepRecord) => void;
  onEpoch: (record: EpochRecord) => void;
  /** The first batch of each epoch, for previews. */
  onFirstBatch: (batch: ViewBatch) => Promise<void>;
  /** @param meanLoss mean loss of the epoch that has just ended; undefined within an epoch */
  saveCheckpoint: (position: TrainingPosition, reason: CheckpointReason, meanLoss?: number) => Promise<void>;
}

/**
 * UniMiSS pre-training (paper, section 3): goes through the plan step by step, alternating phases, and leaves records and
 * checkpoints on its way. The state is where the compiled steps keep it.
 * @returns whether the plan was finished or a stop was asked for; either way a checkpoint was written
 * @throws UnimissError 'diverged' for a loss that is not finite: no checkpoint is written then
 */
export async function pretrain(options: PretrainOptions): Promise<'finished' | 'stopped'> {
  const { plan, control, config, from } = options;
  const trainer = new Trainer(options);
  // The losses of the phases have one and four terms: only those of one phase can be compared.
  const scoredPhase = plan.epochs.some((e) => e.phase === '3D') ? '3D' : '2D';
  let step = from.step;
  let meter = new EpochMeter(options.featureLength, from.meter);
  let saved = performance.now();
  while (step < plan.steps) {
    const epoch = epochOf(plan, step);
    const range = { from: step - epoch.firstStep, to: epoch.steps };
    let first = range.from === 0;
    if (step === from.step) options.prepare(epoch.phase, epoch.epoch, range);
    options.stepFor(epoch.phase); // compiled while the first batch is being made
    for await (const batch of options.batches(epoch.phase, epoch.epoch, range)) {
      await control.proceed();
      if (control.stopRequested) break;
      if (first) await options.onFirstBatch(batch);
      first = false;
      const next = plan.epochs[epoch.epoch + 1];
      if (next?.firstStep === step + 1) options.prepare(next.phase, next.epoch, { from: 0, to: next.steps });
      meter.add(...(await trainer.step(step, epoch.epoch, epoch.phase, batch)));
      step++;
      if (step === epoch.firstStep + epoch.steps) break;
      if (minutesSince(saved) >= (config.checkpoint.everyMinutes ?? Number.POSITIVE_INFINITY)) {
        await options.saveCheckpoint({ step, meter: meter.state() }, 'time');
        saved = performance.now();
      }
    }
    if (step === epoch.firstStep + epoch.steps) {
      options.onEpoch(epochRecord(options, meter, step - 1, epoch.epoch, epoch.phase));
      const { meanLoss } = meter;
      meter = new EpochMeter(options.featureLength);
      const finished = step === plan.steps;
      const due = config.checkpoint.everyEpochs !== null && (epoch.epoch + 1) % config.checkpoint.everyEpochs === 0;
      if (finished || due || control.stopRequested) {
        const score = epoch.phase === scoredPhase ? meanLoss : undefined;
        await options.saveCheckpoint({ step }, finished ? 'finish' : control.stopRequested ? 'stop' : 'epoch', score);
        saved = performance.now();
      }
      if (control.stopRequested && !finished) return 'stopped';
    } else if (control.stopRequested) {
      await options.saveCheckpoint({ step, meter: meter.state() }, 'stop');
      return 'stopped';
    } else
      throw new UnimissError(
        'internal',
        `epoch ${epoch.epoch + 1} ended after ${step - epoch.firstStep} of ${epoch.steps} steps`,
      );
  }
  return 'finished';
}

function minutesSince(time: number): number {
  return (performance.now() - time) / 60_000;
}

class Trainer {
  private readonly rates;
  private readonly recentLosses: number[] = [];

  constructor(private readonly options: PretrainOptions) {
    this.rates = ratesOf(options.config.train, options.plan);
  }

  /** @returns the result and the seconds it took, waiting included */
  async step(step: number, epoch: number, phase: Modality, batch: ViewBatch): Promise<[PretrainStepResult, number]> {
    const { config, stepFor, onStep } = this.options;
    const compiled = stepFor(phase);
    const rates = this.rates(step, phase);
    const masks = compiled.drawDropPath(dropPathDraws(config.train.seed, step));
    const began = performance.now();
    const result = await compiled.run({
      views: batch.views,
      ...rates,
      lastLayerFrozen: epoch < config.train.freezeLastLayerEpochs,
      ...(masks && { dropPathMasks: masks }),
    });
    const stepMs = performance.now() - began;
    this.checkFinite(step, phase, result, rates.learningRate);
    const seconds = (stepMs + batch.waitMs) / 1000;
    onStep({
      kind: 'step',
      step,
      epoch,
      group: phase,
      loss: result.loss,
      values: {
        ...termValues(phase, result.terms),
        learningRate: rates.learningRate,
        weightDecay: rates.weightDecay,
        momentum: rates.momentum,
        gradientNorm: result.gradientNorm,
        imagesPerSecond: batch.size / seconds,
      },
      stepMs,
      waitMs: batch.waitMs,
      rssMiB: process.memoryUsage.rss() / 2 ** 20,
      time: new Date().toISOString(),
    });
    return [result, seconds];
  }

  private checkFinite(step: number, phase: Modality, result: PretrainStepResult, rate: number): void {
    if (Number.isFinite(result.loss) && Number.isFinite(result.gradientNorm)) {
      this.recentLosses.push(result.loss);
      if (this.recentLosses.length > 5) this.recentLosses.shift();
      return;
    }
    const saw = result.terms.map((t, i) => `${lossTerms[phase][i]} ${t}`).join(', ');
    throw new UnimissError(
      'diverged',
      `the loss is ${result.loss} (${saw}), the gradient's norm ${result.gradientNorm}`,
      {
        place: `step ${step + 1} (${phase}, learning rate ${rate.toExponential(2)}; losses before: ${this.recentLosses.map((l) => l.toFixed(3)).join(', ') || 'none'})`,
        remedy:
          'No checkpoint was written from it. Lower train.lr or train.clipGradient, or lengthen train.warmupEpochs, and resume from the last checkpoint.',
      },
    );
  }
}

/** The terms of the loss by their keys; none where the only term is the loss itself. */
function termValues(phase: Modality, terms: readonly number[]): Record<string, number> {
  if (terms.length < 2) return {};
  return Object.fromEntries(terms.map((value, i) => [`term/${lossTerms[phase][i] ?? i}`, value]));
}

/** Uniform numbers for the masks of a step's stochastic depth; a resumed run draws the same. */
function dropPathDraws(seed: number, step: number): () => number {
  const random = new Random(seed, 'drop-path', step);
  return () => random.uniform();
}

function epochRecord(
  options: PretrainOptions,
  meter: EpochMeter,
  step: number,
  epoch: number,
  phase: Modality,
): EpochRecord {
  const { featureLength } = options;
  const { model, train } = options.config;
  const collapse = meter.collapse();
  return {
    kind: 'epoch',
    epoch,
    group: phase,
    step,
    steps: meter.count,
    loss: meter.meanLoss,
    seconds: meter.totalSeconds,
    values: { ...collapse },
    warnings: collapse
      ? collapseWarnings(collapse, {
          outputs: model.head.outDim,
          featureLength,
          batch: train.batch[phase] * train.accumulate,
        })
      : [],
    time: new Date().toISOString(),
  };
}
