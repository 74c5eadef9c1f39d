import type { PretrainConfig } from '../../../protocol/config/index.ts';
import type { Modality } from '../../../protocol/modality.ts';
import { lossTerms } from '../../../protocol/records/series.ts';
import { view2DPreview, view3DPreview } from '../../data/augment/preview.ts';
import type { Loader, ViewBatch } from '../../data/loader/types.ts';
import { Random } from '../../data/random.ts';
import type { Engine, Executor } from '../../engine/index.ts';
import { collapseWarnings } from '../../evaluate/features/collapse.ts';
import { type OutputCollapse, outputWarnings } from '../../evaluate/features/collapseByOutput.ts';
import { featureLength, type MitConfig } from '../../model/config.ts';
import type { EpochPlan } from '../plan.ts';
import type {
  EpochOutcome,
  ExecutorChoice,
  Finding,
  Picture,
  PreviewImage,
  SavedState,
  StepOutcome,
  StepPlace,
  Training,
} from '../training.ts';
import { EpochMeter } from './epochMeter.ts';
import { pretrainExecutorKey } from './executorKey.ts';
import { terms } from './loss.ts';
import { millisecondsPerStep } from './measure.ts';
import type { PretrainPlan } from './plan.ts';
import { ratesOf } from './rates.ts';
import { PretrainSavedState } from './savedState.ts';
import type { PretrainState } from './state.ts';
import { createPretrainStep } from './step.ts';
import type { PretrainStep, PretrainStepOptions } from './types.ts';

/** Number of images per batch in previews. */
const SHOWN = 2;

export interface PretrainParts {
  readonly engine: Engine;
  readonly config: PretrainConfig;
  readonly model: MitConfig;
  readonly plan: PretrainPlan;
  readonly description: string;
  readonly state: PretrainState;
  readonly findings: readonly Finding[];
  /** Opens the loader of a phase, one batch per optimiser step; called once per phase. */
  openLoader(phase: Modality): Loader;
  /** Reports the present preparation. */
  stage(what: string): void;
  /** Numbers of the features on labelled images after an epoch; none where it is not due. It changes nothing. */
  probe?(epoch: EpochPlan): Promise<Readonly<Record<string, number>>>;
  /** Closes what the caller opened for the training. */
  close?(): void;
}

/** UniMiSS pre-training: epochs on pictures and on volumes in turn. */
export class PretrainTraining implements Training<ViewBatch> {
  readonly plan: PretrainPlan;
  readonly description: string;
  readonly state: SavedState;
  readonly findings: readonly Finding[];
  readonly executors: ExecutorChoice;
  readonly queues: boolean;
  private readonly meter: EpochMeter;
  private readonly rates;
  private readonly loaders: Partial<Record<Modality, Loader>> = {};
  private readonly steps: Partial<Record<Modality, PretrainStep>> = {};
  private chosen: Readonly<Record<Modality, Executor>> = { '2D': 'graph', '3D': 'graph' };

  constructor(private readonly parts: PretrainParts) {
    const { engine, config, model } = parts;
    this.queues = engine.queues;
    ({ plan: this.plan, description: this.description, findings: this.findings } = parts);
    this.meter = new EpochMeter(featureLength(model));
    this.state = new PretrainSavedState(parts.state, this.meter);
    this.rates = ratesOf(config.train, parts.plan);
    this.executors = {
      key: (phase) => pretrainExecutorKey(config, phase),
      measure: (phase, executor) => millisecondsPerStep(engine, model, { ...stepOptions(config, phase), executor }),
      use: (executors) => {
        this.chosen = executors;
      },
    };
  }

  /** Compiles the phase's step first, while its first batch is being made. */
  batches(epoch: EpochPlan<Modality>, from: number): AsyncIterable<ViewBatch> {
    this.stepFor(epoch.group);
    return this.loader(epoch.group).epoch(epoch.epoch, { from, to: epoch.steps });
  }

  prepare(epoch: EpochPlan<Modality>, from: number): void {
    this.loader(epoch.group).prepare(epoch.epoch, { from, to: epoch.steps });
  }

  async step({ step, epoch }: StepPlace<Modality>, batch: ViewBatch): Promise<StepOutcome> {
    const { train } = this.parts.config;
    const compiled = this.stepFor(epoch.group);
    const rates = this.rates(step, epoch.group);
    const masks = compiled.drawDropPath(dropPathDraws(train.seed, step));
    const result = await compiled.run({
      views: batch.views,
      ...rates,
      lastLayerFrozen: epoch.epoch < train.freezeLastLayerEpochs,
      ...(masks && { dropPathMasks: masks }),
    });
    this.meter.add(result);
    const { learningRate, weightDecay, momentum } = rates;
    const { loss, gradientNorm } = result;
    return {
      loss,
      values: {
        ...termValues(epoch.group, result.terms),
        ...(result.koleo !== undefined && { 'term/koleo': result.koleo }),
        learningRate,
        weightDecay,
        momentum,
        gradientNorm,
      },
    };
  }

  async endEpoch(epoch: EpochPlan<Modality>): Promise<EpochOutcome> {
    const { config, plan } = this.parts;
    const { meanLoss: loss, featureLength } = this.meter;
    const collapse = this.meter.collapse();
    const outputs = this.meter.outputs(terms[epoch.group]) ?? [];
    const judged = isSettled(plan, epoch) ? outputs : [];
    this.meter.reset();
    const probed = await this.parts.probe?.(epoch);
    const { batch, accumulate } = config.train;
    const sizes = { outputs: config.model.head.outDim, featureLength, batch: batch[epoch.group] * accumulate };
    // The losses of the phases have one and four terms, so only losses of the same phase are comparable.
    const scored = plan.epochs.some(({ group }) => group === '3D') ? '3D' : '2D';
    return {
      loss,
      values: { ...collapse, ...Object.assign({}, ...outputs.map(outputValues)), ...probed },
      warnings: [...(collapse ? collapseWarnings(collapse, sizes) : []), ...outputWarnings(judged, sizes)],
      ...(epoch.group === scored && { score: { series: 'loss', value: loss, better: 'lower' } }),
    };
  }

  /** The batch with the image that previews follow through the run. */
  previewBatch({ group, epoch, steps }: EpochPlan<Modality>): number {
    return this.loader(group).followed(epoch, steps).batch;
  }

  /** Both views of the image that previews follow, and of the one after it in the batch; a volume as a strip of its slices. */
  preview({ phase, views, images, ids }: ViewBatch, { epoch, steps }: EpochPlan<Modality>): PreviewImage[] {
    const { model } = this.parts.config;
    const length = views.length / (2 * images);
    const pictureOf = (view: Float32Array): Picture =>
      phase === '2D' ? view2DPreview(view, model.size2D) : view3DPreview(view, model.size3D);
    const { place } = this.loader(phase).followed(epoch, steps);
    return Array.from({ length: Math.min(SHOWN, images) }, (_, n) => {
      const image = (place + n) % images;
      const name = ids[image];
      return {
        ...(name !== undefined && { name }),
        views: [0, 1].map((view) => {
          const at = (view * images + image) * length;
          return pictureOf(views.subarray(at, at + length));
        }),
      };
    });
  }

  async close(): Promise<void> {
    await Promise.all(Object.values(this.loaders).map((loader) => loader.close()));
    for (const step of Object.values(this.steps)) step.dispose();
    this.parts.state.dispose();
    this.parts.close?.();
  }

  private loader(phase: Modality): Loader {
    this.loaders[phase] ??= this.parts.openLoader(phase);
    return this.loaders[phase];
  }

  private stepFor(phase: Modality): PretrainStep {
    const known = this.steps[phase];
    if (known) return known;
    const { engine, state, config, stage } = this.parts;
    stage(`Preparing the ${phase} step`);
    const step = createPretrainStep(engine, state, { ...stepOptions(config, phase), executor: this.chosen[phase] });
    this.steps[phase] = step;
    return step;
  }
}

function stepOptions({ train, model }: PretrainConfig, phase: Modality): PretrainStepOptions {
  return {
    phase,
    batch: train.batch[phase] * train.accumulate,
    accumulate: train.accumulate,
    clipGradient: train.clipGradient ?? Number.POSITIVE_INFINITY,
    dropPath: model.dropPath,
    studentTemperature: train.studentTemperature,
    centerMomentum: train.centerMomentum,
    koleo: train.koleo,
    sliceStride: train.sliceStride,
  };
}

/** The terms of the loss by their keys; empty if the only term is the loss itself. */
function termValues(phase: Modality, terms: readonly number[]): Record<string, number> {
  if (terms.length < 2) return {};
  return Object.fromEntries(terms.map((value, i) => [`term/${lossTerms[phase][i] ?? i}`, value]));
}

/**
 * Whether outputs of different images can be compared by now: behind the warm-up, and not in the first epoch of the phase. A random
 * network answers volumes and slices differently, without anything being wrong.
 */
export function isSettled(plan: PretrainPlan, { epoch, group, firstStep }: EpochPlan<Modality>): boolean {
  return firstStep >= plan.warmupSteps && plan.epochs.some((other) => other.group === group && other.epoch < epoch);
}

/** The signs of collapse of one output by their keys. */
function outputValues({ output, teacherEntropy, klToUniform, featureStd, effectiveRank }: OutputCollapse) {
  return {
    [`teacherEntropy/${output}`]: teacherEntropy,
    [`klToUniform/${output}`]: klToUniform,
    [`featureStd/${output}`]: featureStd,
    [`effectiveRank/${output}`]: effectiveRank,
  };
}

/** Uniform numbers for the masks of a step's stochastic depth; a resumed run draws the same. */
function dropPathDraws(seed: number, step: number): () => number {
  const random = new Random(seed, 'drop-path', step);
  return () => random.uniform();
}
