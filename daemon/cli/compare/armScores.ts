import type { Measure } from '../../../protocol/compare/experiment.ts';
import type { Modality } from '../../../protocol/modality.ts';

/** Scores of an arm or a baseline. */
export interface ArmScores {
  readonly task: Measure;
  readonly arm: string;
  readonly modality: Modality;
  readonly labels: number;
  readonly seeds: readonly number[];
  /** Score of each seed, 0–1: accuracy or Dice, mean over test images (of the probe, over draws too). */
  readonly accuracies: readonly number[];
  /**
   * [seeds][test images] of the probe, the share of draws that classified an image correctly; of a classification 1 or 0; of a
   * segmentation, Dice. null: not tested.
   */
  readonly perImage: readonly (readonly (number | null)[])[];
  /** The patient of each test image. */
  readonly patients: readonly string[];
  /** Accuracy of guessing; null for Dice. */
  readonly chance: number | null;
}
