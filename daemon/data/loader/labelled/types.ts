import type { AugmentProbabilities } from '../../../../protocol/config/finetune/index.ts';
import type { CaseFiles, PrepareSettings } from '../../prepared/settings.ts';
import type { Size3 } from '../../prepared/types.ts';

/** A case with labels. */
export interface TrainingCase extends CaseFiles {
  /** Classification: numbers of its classes. Absent: its voxels are labelled. */
  readonly classes?: readonly number[];
}

/** What patches are made with: plain data that travels to the threads. */
export interface PatchOptions {
  readonly seed: number;
  /** Folder of prepared images. */
  readonly cache: string;
  readonly settings: PrepareSettings;
  /** A picture's has one slice. */
  readonly patch: Size3;
  readonly augment: AugmentProbabilities;
  /** Share of a batch whose patches lie around a voxel that is not background. */
  readonly foreground: number;
  /** Classes of an image that may have several at once; null: it has exactly one. */
  readonly severalOf: number | null;
}

/** A part of a case, by its first voxel. */
export interface Window {
  /** Number of the case. */
  readonly case: number;
  readonly start: readonly [number, number, number];
}

/** A place of a batch: which case, how often it occurred in the epoch before, and whether its patch must show a class. */
export interface PatchSlot {
  readonly case: number;
  readonly repeat: number;
  readonly foreground: boolean;
}

export type PatchTask =
  | { readonly kind: 'prepare'; readonly case: number }
  | { readonly kind: 'train'; readonly epoch: number; readonly slots: readonly PatchSlot[] }
  | { readonly kind: 'windows'; readonly windows: readonly Window[] };

/** What is known of a case once it is prepared. */
export interface PreparedSummary {
  readonly kind: 'prepared';
  /** Path of its prepared copy. */
  readonly copy: string;
  readonly size: Size3;
  /** Of the image's decoded values: see `caseDigests`. */
  readonly digests: readonly string[];
  /** How far the image lies off the patient's axes, degrees. */
  readonly tilt: number;
  /** Voxels of each class but the background: [class, voxels]. */
  readonly voxels: readonly (readonly [label: number, voxels: number])[];
  /** The middle of the labelled voxels, else of the image. */
  readonly middle: readonly [number, number, number];
}

/** Images and labels as the network takes them. */
export interface MadePatches {
  readonly kind: 'patches';
  /** [B, D, H, W, C], pictures [B, H, W, C]. */
  readonly images: Float32Array;
  /**
   * Segmentation [B, D, H, W] (pictures [B, H, W]): the class, or a bit for each overlapping one; −1 counts for nothing.
   * Classification [B], or with several at once [B, K] of 0 and 1.
   */
  readonly labels: Int32Array;
  readonly ids: readonly string[];
}

export type PatchMade = PreparedSummary | MadePatches;

/** A batch for a step of training. */
export interface PatchBatch extends Omit<MadePatches, 'images' | 'kind'> {
  readonly epoch: number;
  /** Number of the batch in its epoch. */
  readonly index: number;
  /** Images, B. */
  readonly images: number;
  /** [B, …, C] */
  readonly values: Float32Array;
  /** How long the trainer waited for it, ms. */
  readonly waitMs: number;
}

/** A batch for validation. Where windows run out the last is repeated; those do not count. */
export interface WindowBatch extends Omit<MadePatches, 'images' | 'kind'> {
  readonly values: Float32Array;
  readonly windows: readonly Window[];
}
