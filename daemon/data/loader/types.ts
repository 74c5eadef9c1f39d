import type { Modality } from '../../../protocol/modality.ts';
import type { Views2DOptions, Views3DOptions } from '../augment/options.ts';
import type { BrokenImage, Dataset, Sample } from '../datasets/unlabelled.ts';
import type { ResampleOptions, VolumeNotice } from '../volumes.ts';

/** The views of one batch, in the order of the run: a function of seed, epoch and index alone. */
export interface ViewBatch {
  readonly phase: Modality;
  readonly epoch: number;
  /** Number of the batch in its epoch. */
  readonly index: number;
  /** Images, B. */
  readonly images: number;
  /** View 1 of all images, then view 2 of all: [2B, H, W, 3] with values 0–1, or [2B, D, H, W, 1] in HU / 1024 before intensity changes. */
  readonly views: Float32Array;
  /** Ids of the samples that the views are of (substitutes included), [B]. */
  readonly ids: readonly string[];
  /** How long the trainer waited for this batch. */
  readonly waitMs: number;
  /** Images that could not be read when this batch was made, and were replaced. */
  readonly broken: readonly BrokenImage[];
}

/** What both sides of a thread have to know: plain data. */
export interface ViewOptions {
  readonly seed: number;
  readonly phase: Modality;
  readonly views2D: Views2DOptions;
  readonly views3D: Views3DOptions;
  /** false: volumes are taken in the spacing in which they are stored. */
  readonly resample: ResampleOptions | false;
  /** Decoded images that each worker keeps, in MiB. */
  readonly cacheMiB: number;
}

export interface LoaderOptions extends Omit<ViewOptions, 'cacheMiB'> {
  /** MiB of decoded images that each worker keeps; default 64, less with more than 8 workers. */
  readonly cacheMiB?: number;
  readonly dataset: Dataset;
  /** Threads; 0: views are made in this thread, for debugging. */
  readonly workers: number;
  /** Images a batch. */
  readonly batch: number;
  /** Told once of each image that turns out broken. */
  readonly onBroken?: (image: BrokenImage) => void;
  /**
   * Notified of what should be in the log: a spacing that was missing or changed, values that do not look like HU. Of each kind the
   * first five. `image` is the id of the sample that the message names.
   */
  readonly onNotice?: (message: string, kind: VolumeNotice['kind'], image?: string) => void;
  /** Kinds of which the log has enough already, from earlier starts of the run; trouble with the cache is told all the same. */
  readonly told?: ReadonlySet<string>;
  /** Gets the `imageDigest` of each image the first time that it is decoded. */
  readonly onDigest?: (sample: Sample, digest: string) => void;
  /** Whether a sample's digest is known already, from earlier starts of the run. */
  readonly hasDigest?: (sample: Sample) => boolean;
}

export interface Loader {
  /** Full batches of an epoch (1 where there are fewer images than a batch takes). */
  readonly batches: number;
  /**
   * The batches of an epoch, or part of them; none beyond it is made. One epoch at a time; leaving the loop early is fine.
   * @throws UnimissError while iterating: too many broken images, a worker that died
   */
  epoch(epoch: number, range?: BatchRange): AsyncIterable<ViewBatch>;
  /** Has the first batches of a coming epoch made while the trainer is busy, so that it begins without waiting. */
  prepare(epoch: number, range?: BatchRange): void;
  /** Ends the workers. A batch that is waited for fails. */
  close(): Promise<void>;
}

/** Batches of an epoch, by their numbers. */
export interface BatchRange {
  /** The first; default 0. */
  readonly from?: number;
  /** One behind the last; default: all that the epoch has. */
  readonly to?: number;
}

/** A place of a batch: which sample, and how often it occurred in the epoch before. */
export interface Slot {
  readonly sample: number;
  readonly repeat: number;
}

/** A batch to make. */
export interface BatchTask {
  readonly epoch: number;
  readonly slots: readonly Slot[];
}

/** What comes back for a task. */
export interface MadeBatch {
  readonly views: Float32Array;
  readonly ids: readonly string[];
  readonly broken: readonly BrokenImage[];
  readonly notices: readonly (VolumeNotice & { readonly id: string })[];
  /** `imageDigest` of images that were decoded for it, where they were wanted. */
  readonly digests: readonly { readonly id: string; readonly digest: string }[];
}
