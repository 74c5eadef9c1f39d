import type { Modality } from '../../../protocol/modality.ts';
import type { Views2DOptions, Views3DOptions } from '../augment/options.ts';
import type { BrokenImage, Dataset, Sample } from '../datasets/unlabelled.ts';
import type { ResampleOptions, VolumeNotice } from '../volumes.ts';

/** The views of one batch, in the order of the run. They depend only on seed, epoch and index. */
export interface ViewBatch {
  readonly phase: Modality;
  readonly epoch: number;
  /** Number of the batch in its epoch. */
  readonly index: number;
  /** Images, B. */
  readonly images: number;
  /** View 1 of all images, then view 2 of all: [2B, H, W, 3] with values 0–1, or [2B, D, H, W, 1] in HU / 1024 before intensity changes. */
  readonly views: Float32Array;
  /** Ids of the samples of the views (including substitutes), [B]. */
  readonly ids: readonly string[];
  /** How long the trainer waited for this batch. */
  readonly waitMs: number;
  /** Images that could not be read for this batch, and were replaced. */
  readonly broken: readonly BrokenImage[];
}

/** Options for both sides of a thread: plain data. */
export interface ViewOptions {
  readonly seed: number;
  readonly phase: Modality;
  readonly views2D: Views2DOptions;
  readonly views3D: Views3DOptions;
  /** false: volumes keep their stored spacing. */
  readonly resample: ResampleOptions | false;
  /** Decoded images that each worker keeps, in MiB. */
  readonly cacheMiB: number;
}

export interface LoaderOptions extends Omit<ViewOptions, 'cacheMiB'> {
  /** MiB of decoded images that each worker keeps; default 64, less with more than 8 workers. */
  readonly cacheMiB?: number;
  readonly dataset: Dataset;
  /** Threads; 0: makes views in this thread, for debugging. */
  readonly workers: number;
  /** Images per batch. */
  readonly batch: number;
  /** Called once for each image that turns out broken. */
  readonly onBroken?: (image: BrokenImage) => void;
  /**
   * Receives notices for the log: a spacing that was missing or changed, values that do not look like HU. The first of each
   * kind, and at the end of an epoch the number of all. `image` is the id of the sample that the message names.
   */
  readonly onNotice?: (message: string, kind: VolumeNotice['kind'], image?: string) => void;
  /** Kinds of which the log has enough already, from earlier starts of the run; problems with the cache are reported anyway. */
  readonly told?: ReadonlySet<string>;
  /** Receives the `imageDigest` of each image when it is first decoded. */
  readonly onDigest?: (sample: Sample, digest: string) => void;
  /** Whether a sample's digest is already known from earlier starts of the run. */
  readonly hasDigest?: (sample: Sample) => boolean;
}

export interface Loader {
  /** Full batches of an epoch (1 if there are fewer images than a batch takes). */
  readonly batches: number;
  /**
   * The batches of an epoch, or part of them; makes none beyond it. One epoch at a time; callers may leave the loop early.
   * @throws UnimissError while iterating: too many broken images, a worker that died
   */
  epoch(epoch: number, range?: BatchRange): AsyncIterable<ViewBatch>;
  /** The image that previews of all epochs show, within the first `batches` of an epoch. */
  followed(epoch: number, batches: number): Followed;
  /** Makes the first batches of the next epoch while the trainer is busy, so that it begins without waiting. */
  prepare(epoch: number, range?: BatchRange): void;
  /** Ends the workers. A pending batch fails. */
  close(): Promise<void>;
}

/** An image of an epoch that previews show: its batch, and its place in it. */
export interface Followed {
  readonly batch: number;
  readonly place: number;
}

/** Batches of an epoch, by their numbers. */
export interface BatchRange {
  /** The first; default 0. */
  readonly from?: number;
  /** Number of the last batch plus one; default: the end of the epoch. */
  readonly to?: number;
}

/** A place in a batch: the sample, and how often it occurred earlier in the epoch. */
export interface Slot {
  readonly sample: number;
  readonly repeat: number;
}

/** A batch to make. */
export interface BatchTask {
  readonly epoch: number;
  readonly slots: readonly Slot[];
}

/** The result of a task. */
export interface MadeBatch {
  readonly views: Float32Array;
  readonly ids: readonly string[];
  readonly broken: readonly BrokenImage[];
  readonly notices: readonly (VolumeNotice & { readonly id: string })[];
  /** `imageDigest` of the images decoded for it, if requested. */
  readonly digests: readonly { readonly id: string; readonly digest: string }[];
}
