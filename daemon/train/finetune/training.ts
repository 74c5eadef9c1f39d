import type { FinetuneConfig } from '../../../protocol/config/index.ts';
import type { Modality } from '../../../protocol/modality.ts';
import type { PatchLoader } from '../../data/loader/labelled/index.ts';
import type { PatchBatch, Window } from '../../data/loader/labelled/types.ts';
import type { Size3 } from '../../data/prepared/types.ts';
import { Random } from '../../data/random.ts';
import type { Engine, Executor } from '../../engine/index.ts';
import type { EpochPlan, Plan } from '../plan.ts';
import type {
  EpochOutcome,
  ExecutorChoice,
  Finding,
  PreviewImage,
  SavedState,
  StepOutcome,
  StepPlace,
  Training,
} from '../training.ts';
import { finetuneExecutorKey } from './executorKey.ts';
import { createForward, type Forward } from './forward.ts';
import { millisecondsPerStep } from './measure.ts';
import { pictureOf } from './pictures.ts';
import { stateOptions, stepOptions } from './problem.ts';
import { FineTuneProgress, FineTuneSavedState } from './progress.ts';
import { learningRates } from './rates.ts';
import type { FineTuneState } from './state.ts';
import { createFineTuneStep } from './step.ts';
import type { FineTuneStep, Frozen, Problem } from './types.ts';
import { ClassificationValidation } from './validation/classification.ts';
import { SegmentationValidation, voxelClasses } from './validation/segmentation.ts';
import type { Validation, ValidationIntervals, ValidationValues } from './validation/types.ts';

/** Images that previews show. */
const SHOWN = 2;

export interface FineTuneParts {
  readonly engine: Engine;
  readonly config: FinetuneConfig;
  readonly problem: Problem;
  readonly plan: Plan<Modality>;
  readonly stepsPerEpoch: number;
  readonly description: string;
  readonly state: FineTuneState;
  readonly findings: readonly Finding[];
  readonly loader: PatchLoader;
  /** Names of the network's outputs. */
  readonly names: readonly string[];
  /** What is predicted for validation. */
  readonly windows: readonly Window[];
  /** The patient of a case. */
  patientOf(number: number): string;
  /** Told what is being prepared. */
  stage(what: string): void;
}

interface Validated {
  readonly values: ValidationValues;
  readonly intervals?: ValidationIntervals;
}

/** An image of the validation with its prediction. */
interface Shown {
  readonly values: Float32Array;
  readonly labels: Int32Array;
  readonly predicted: Int32Array;
}

/** Fine-tuning on labelled images: a segmentation or a classification. */
export class FineTuneTraining implements Training<PatchBatch> {
  readonly plan: Plan<Modality>;
  readonly description: string;
  readonly state: SavedState;
  readonly findings: readonly Finding[];
  readonly executors: ExecutorChoice;
  readonly queues: boolean;
  private readonly progress = new FineTuneProgress();
  private readonly rates;
  private readonly steps: Partial<Record<Frozen, FineTuneStep>> = {};
  private forward: Forward | undefined;
  private executor: Executor = 'graph';
  private ticked = performance.now();
  private shown: Shown[] = [];

  constructor(private readonly parts: FineTuneParts) {
    const { engine, config, plan, stepsPerEpoch, problem, state } = parts;
    this.queues = engine.queues;
    ({ plan: this.plan, description: this.description, findings: this.findings } = parts);
    this.state = new FineTuneSavedState(state, this.progress);
    this.rates = learningRates(config.train, { steps: plan.steps, stepsPerEpoch });
    const { modality } = config;
    this.executors = {
      key: () => finetuneExecutorKey(config, parts.names.length),
      measure: (_, executor) =>
        millisecondsPerStep(engine, stateOptions(config, state.model), { ...stepOptions(config, problem), executor }),
      use: (executors) => {
        this.executor = executors[modality];
      },
    };
  }

  batches(epoch: EpochPlan, from: number): AsyncIterable<PatchBatch> {
    this.stepOf(epoch.epoch);
    this.ticked = performance.now();
    return this.parts.loader.epoch(epoch.epoch, { from, to: epoch.steps });
  }

  prepare(epoch: EpochPlan, from: number): void {
    this.parts.loader.prepare(epoch.epoch, { from, to: epoch.steps });
  }

  async step({ step, epoch }: StepPlace, batch: PatchBatch): Promise<StepOutcome> {
    const { train } = this.parts.config;
    const compiled = this.stepOf(epoch.epoch);
    const learningRate = this.rates({ step, timeUsed: this.timeUsed(this.progress.epochBegan) });
    const random = new Random(train.seed, 'drop-path', step);
    const dropPathMasks = compiled.drawDropPath(() => random.uniform());
    const { loss, gradientNorm, crossEntropy, dice } = await compiled.run({
      images: batch.values,
      labels: batch.labels,
      learningRate,
      weightDecay: train.weightDecay,
      ...(dropPathMasks && { dropPathMasks }),
    });
    this.progress.steps++;
    this.progress.loss += loss;
    this.tick();
    const softDice = dice && meanOf(dice.slice(this.parts.problem.labels === 'exclusive' ? 1 : 0));
    return {
      loss,
      values: {
        ...(crossEntropy !== undefined && { 'term/crossEntropy': crossEntropy }),
        ...(softDice !== undefined && { 'term/dice': softDice }),
        learningRate,
        gradientNorm,
      },
    };
  }

  async endEpoch(epoch: EpochPlan): Promise<EpochOutcome> {
    const { validation, best } = this.parts.config.train;
    const last = epoch.epoch + 1 === this.plan.epochs.length;
    const due = (epoch.epoch + 1) % validation.everyEpochs === 0;
    const { values, intervals }: Validated = due || last ? await this.validate() : { values: {} };
    this.tick();
    const loss = this.progress.endEpoch();
    const value = values[best];
    const { earlyStopping } = this.parts.config.train;
    const watched = earlyStopping ? values[earlyStopping.metric] : undefined;
    if (earlyStopping && watched !== undefined) this.progress.watch(watched, betterOf(earlyStopping.metric));
    const enough = this.enough();
    return {
      loss,
      values,
      ...(intervals && { intervals }),
      warnings: [],
      ...(value !== undefined && { score: { series: best, value, better: betterOf(best) } }),
      ...(enough !== undefined && { enough }),
    };
  }

  enough(): string | undefined {
    const { earlyStopping, hours } = this.parts.config.train;
    const { steps, seconds, since } = this.progress;
    if (steps > 0) return undefined; // an epoch is always completed
    if (earlyStopping && since >= earlyStopping.patience)
      return `${earlyStopping.metric} has not improved in ${since} validations`;
    return hours !== null && this.timeUsed(seconds) >= 1 ? `trained for ${hours} hours` : undefined;
  }

  /** Image and reference; once there was a validation, images of that with reference and prediction. */
  preview({ values, labels }: PatchBatch): PreviewImage[] {
    const size = this.patch;
    const segmentation = this.parts.problem.task === 'segmentation';
    const overlapping = this.parts.problem.labels === 'overlapping';
    const colored = (image: Float32Array, data: Int32Array) => pictureOf(image, size, { data, overlapping });
    if (this.shown.length > 0)
      return this.shown.map((one) => ({
        views: [pictureOf(one.values, size), colored(one.values, one.labels), colored(one.values, one.predicted)],
      }));
    const { batch } = this.parts.config.train;
    const [length, voxels] = [values.length / batch, labels.length / batch];
    return Array.from({ length: Math.min(SHOWN, batch) }, (_, i) => {
      const image = values.subarray(i * length, (i + 1) * length);
      if (!segmentation) return { views: [pictureOf(image, size)] };
      return { views: [pictureOf(image, size), colored(image, labels.subarray(i * voxels, (i + 1) * voxels))] };
    });
  }

  async close(): Promise<void> {
    await this.parts.loader.close();
    for (const step of Object.values(this.steps)) step.dispose();
    this.forward?.dispose();
    this.parts.state.dispose();
  }

  private get patch(): Size3 {
    const [first, second, third] = this.parts.config.plan.patch;
    return third === undefined ? [1, first, second] : [first, second, third];
  }

  private async validate(): Promise<Validated> {
    const { loader, windows, problem, names, config, patientOf } = this.parts;
    const overlapping = problem.labels === 'overlapping';
    const options = { names, overlapping, patientOf };
    const forward = this.forwardPass();
    const gathered: Validation =
      problem.task === 'segmentation' ? new SegmentationValidation(options) : new ClassificationValidation(options);
    this.shown = [];
    for await (const batch of loader.windows(windows, forward.batch)) {
      const count = batch.windows.length;
      const logits = await forward.run(batch.values.subarray(0, (batch.values.length / forward.batch) * count));
      gathered.add(batch, logits);
      if (problem.task !== 'segmentation' || !config.records.previews) continue;
      const [length, voxels] = [batch.values.length / forward.batch, batch.labels.length / forward.batch];
      for (let i = 0; i < count && this.shown.length < SHOWN; i++) {
        const own = logits.subarray(i * voxels * names.length, (i + 1) * voxels * names.length);
        this.shown.push({
          values: batch.values.slice(i * length, (i + 1) * length),
          labels: batch.labels.slice(i * voxels, (i + 1) * voxels),
          predicted: voxelClasses(own, names.length, overlapping),
        });
      }
    }
    return { values: gathered.values(), intervals: gathered.intervals() };
  }

  private timeUsed(seconds: number): number {
    const { hours } = this.parts.config.train;
    return hours === null ? 0 : seconds / (3600 * hours);
  }

  /** Adds what has passed since the last call to the run's time. */
  private tick(): void {
    const now = performance.now();
    this.progress.seconds += (now - this.ticked) / 1000;
    this.ticked = now;
  }

  private stepOf(epoch: number): FineTuneStep {
    const { engine, state, config, problem, stage } = this.parts;
    const frozen: Frozen = epoch < config.train.headFirstEpochs ? 'backbone' : 'none';
    const known = this.steps[frozen];
    if (known) return known;
    stage('Preparing the step');
    const step = createFineTuneStep(engine, state, {
      ...stepOptions(config, problem),
      frozen,
      executor: this.executor,
    });
    this.steps[frozen] = step;
    return step;
  }

  private forwardPass(): Forward & { readonly batch: number } {
    const { engine, state, config } = this.parts;
    // Logits of all voxels and classes are in memory at once: volumes go one by one.
    const batch = config.problem === 'segmentation' && config.modality === '3D' ? 1 : config.train.batch;
    this.forward ??= createForward(engine, state, { batch, executor: this.executor });
    return { ...this.forward, batch };
  }
}

function betterOf(metric: string): 'lower' | 'higher' {
  return metric === 'validationLoss' ? 'lower' : 'higher';
}

/** Mean of the numbers that are any; undefined where none is. */
function meanOf(values: Float32Array): number | undefined {
  const known = values.filter((value) => !Number.isNaN(value));
  return known.length === 0 ? undefined : known.reduce((a, b) => a + b, 0) / known.length;
}
