import type { WindowBatch } from '../../../data/loader/labelled/types.ts';

/** What validation says of a network, by keys of the catalogue; a number that cannot be measured is absent. */
export type ValidationValues = Readonly<Record<string, number>>;

/** 95 % intervals of some of them, by bootstrap over patients; one that cannot be told is absent. */
export type ValidationIntervals = Readonly<Record<string, readonly [low: number, high: number]>>;

/** What is fixed of a validation. */
export interface ValidationOptions {
  /** Names of the network's outputs. */
  readonly names: readonly string[];
  /** Whether a voxel or an image may have several classes. */
  readonly overlapping: boolean;
  /** The patient of a case. */
  patientOf(number: number): string;
}

/** Gathers what validation needs from the outputs on one batch after another. */
export interface Validation {
  /** @param logits [n, …] of the windows in the batch that count */
  add(batch: Pick<WindowBatch, 'labels' | 'windows'>, logits: Float32Array): void;
  values(): ValidationValues;
  intervals(): ValidationIntervals;
}
