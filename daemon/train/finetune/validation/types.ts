import type { WindowBatch } from '../../../data/loader/labelled/types.ts';

/** What validation says of a network, by keys of the catalogue; a number that cannot be measured is absent. */
export type ValidationValues = Readonly<Record<string, number>>;

/** Gathers what validation needs from the outputs on one batch after another. */
export interface Validation {
  /** @param logits [n, …] of the windows in the batch that count */
  add(batch: WindowBatch, logits: Float32Array): void;
  values(): ValidationValues;
}
