import type { JsonObject } from '../../protocol/json.ts';
import type { Modality } from '../../protocol/modality.ts';
import type { EventRecord } from '../../protocol/records/records.ts';
import type { Warning } from '../../protocol/records/warning.ts';
import type { Score } from '../checkpoint/score.ts';
import type { Executor } from '../engine/index.ts';
import type { NamedTensor, ReadTensor } from './parameters/namedTensor.ts';
import type { EpochPlan, Plan } from './plan.ts';

/**
 * A run of any kind, once it is open. `trainLoop` drives it: it asks for batches, hands each to `step`, and calls `endEpoch` after
 * the last one of an epoch. All that changes meanwhile is in `state`.
 */
export interface Training<Batch extends TrainingBatch = TrainingBatch> {
  readonly plan: Plan;
  /** What is trained on what, for the event that says that a run begins: `8 steps in 4 epochs over 8 2D images`. */
  readonly description: string;
  readonly state: SavedState;
  /** What opening it found that the records should tell. */
  readonly findings: readonly Finding[];
  /** Where steps can be compiled in several ways: how to choose. */
  readonly executors?: ExecutorChoice;
  /** The batches of an epoch from number `from` on, one a step. */
  batches(epoch: EpochPlan, from: number): AsyncIterable<Batch>;
  /** Begins to make the first of them, while something else is done. */
  prepare(epoch: EpochPlan, from: number): void;
  step(at: StepPlace, batch: Batch): Promise<StepOutcome>;
  /** Ends an epoch: its numbers, and validation where there is one. */
  endEpoch(epoch: EpochPlan): Promise<EpochOutcome>;
  /** What the network sees, as pictures: those of an image together. */
  preview?(batch: Batch): readonly (readonly Picture[])[];
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
  readonly warnings: readonly Warning[];
  /** By which the best checkpoint is kept. Absent: that of this epoch cannot be the best. */
  readonly score?: Score;
  /** Why the run may end here, before its plan does. */
  readonly enough?: string;
}

/** All that a training changes, as a checkpoint keeps it: with it a run goes on as if it had never stopped. */
export interface SavedState {
  /** Names are the state's own; values are read one after the other. */
  tensors(): NamedTensor[];
  counters(): JsonObject;
  /** @throws UnimissError 'checkpoint' naming what is missing or does not fit */
  load(read: ReadTensor, counters: JsonObject): Promise<void>;
}

/** Something that opening a training found, for the records. */
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

/** How a training's steps may run. */
export interface ExecutorChoice {
  /** What, beside machine and TensorFlow, decides which executor is the fastest for a group's steps. */
  key(group: Modality): JsonObject;
  /** Milliseconds that a step takes with an executor, measured on a state of its own. */
  measure(group: Modality, executor: Executor): Promise<number>;
  /** Decides; before the first step. */
  use(executors: Readonly<Record<Modality, Executor>>): void;
}
