import type { JsonObject } from '../../protocol/json.ts';
import type { Modality } from '../../protocol/modality.ts';
import type { EventRecord } from '../../protocol/records/records.ts';
import type { Warning } from '../../protocol/records/warning.ts';
import type { Score } from '../checkpoint/score.ts';
import type { Executor } from '../engine/index.ts';
import type { NamedTensor, ReadTensor } from './parameters/namedTensor.ts';
import type { EpochPlan, Plan } from './plan.ts';

/**
 * An open run of any kind. `trainLoop` drives it: it asks for batches, passes each to `step`, and calls `endEpoch` after the last
 * one of an epoch. `state` contains everything that changes.
 */
export interface Training<Batch extends TrainingBatch = TrainingBatch> {
  readonly plan: Plan;
  /** What trains on what, for the event at the beginning of a run: `8 steps in 4 epochs over 8 2D images`. */
  readonly description: string;
  readonly state: SavedState;
  /** Findings from opening it, for the records. */
  readonly findings: readonly Finding[];
  /** How to choose, if steps can be compiled in several ways. */
  readonly executors?: ExecutorChoice;
  /**
   * Whether a step may be called before the one before has ended, so that the device always has the next. They take effect and end in
   * the order of the calls. Everything else is called when all have ended. Default: false.
   */
  readonly queues?: boolean;
  /** The batches of an epoch from number `from` on, one per step. */
  batches(epoch: EpochPlan, from: number): AsyncIterable<Batch>;
  /** Why nothing is left to train although the plan has further steps: what `endEpoch` said before the run was interrupted. */
  enough?(): string | undefined;
  /** Begins to make the first of them while other work runs. */
  prepare(epoch: EpochPlan, from: number): void;
  step(at: StepPlace, batch: Batch): Promise<StepOutcome>;
  /** Ends an epoch: computes its numbers, and validates if the run does so. */
  endEpoch(epoch: EpochPlan): Promise<EpochOutcome>;
  /** The batch of an epoch, from 0, that previews show. Default: the first. */
  previewBatch?(epoch: EpochPlan): number;
  /** What the network sees in that batch. */
  preview?(batch: Batch, epoch: EpochPlan): readonly PreviewImage[];
  close(): Promise<void>;
}

export interface TrainingBatch {
  readonly images: number;
  /** How long the trainer waited for it, ms. */
  readonly waitMs: number;
}

export interface StepPlace<Group extends Modality | null = Modality | null> {
  /** Number of the step in the run, from 0. */
  readonly step: number;
  readonly epoch: EpochPlan<Group>;
}

/** `values`: numbers by their keys in the catalogue (protocol/records/series.ts). */
export interface StepOutcome {
  readonly loss: number;
  readonly values: Readonly<Record<string, number>>;
}

export interface EpochOutcome extends StepOutcome {
  /** 95 % intervals of some of the values, [low, high]. */
  readonly intervals?: Readonly<Record<string, readonly [low: number, high: number]>>;
  readonly warnings: readonly Warning[];
  /** Decides which checkpoint is kept as the best. Absent: this epoch cannot be the best. */
  readonly score?: Score;
  /** Why the run may end here, before the end of its plan. */
  readonly enough?: string;
}

/** Everything that a training changes, in the form of a checkpoint. With it, a run continues as if it had never stopped. */
export interface SavedState {
  /** The state chooses the names; values are read one after the other. */
  tensors(): NamedTensor[];
  counters(): JsonObject;
  /** @throws UnimissError 'checkpoint', which names what is missing or does not fit */
  load(read: ReadTensor, counters: JsonObject): Promise<void>;
}

/** A finding from opening a training, for the records. */
export interface Finding {
  readonly event: Extract<EventRecord['event'], 'notice' | 'warning' | 'broken'>;
  readonly message: string;
  readonly file?: string;
  readonly details?: EventRecord['details'];
}

/** A picture of what the network sees: 8 bits, grey or RGB, rows from above. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly data: Uint8Array;
}

/** An image of a preview. */
export interface PreviewImage {
  /** Its name in the data set; absent where it is not known. */
  readonly name?: string;
  /** Pre-training: both views. Fine-tuning: image, reference, prediction, as far as there are any. */
  readonly views: readonly Picture[];
}

/** The choice of an executor for a training's steps. */
export interface ExecutorChoice {
  /** What decides the fastest executor for a group's steps, besides machine and TensorFlow. */
  key(group: Modality): JsonObject;
  /** Milliseconds per step with an executor, measured on a separate state. */
  measure(group: Modality, executor: Executor): Promise<number>;
  /** Sets the executors, before the first step. */
  use(executors: Readonly<Record<Modality, Executor>>): void;
}
