import type { StoredVoxels } from '../voxels.ts';

/** The pipelines that are packed with the daemon (scripts/build.mjs). */
export type Pipeline =
  | 'nrrd-read-image'
  | 'meta-read-image'
  | 'read-image-dicom-file-series'
  | 'read-overlapping-segmentation'
  | 'write-segmentation';

/** An image as ITK has it: `origin`, `spacing` (mm) and `direction` (row by row) in LPS, i fastest. */
export interface ItkImage {
  readonly imageType: {
    readonly dimension: number;
    readonly componentType: string;
    readonly pixelType: string;
    readonly components: number;
  };
  readonly name: string;
  readonly origin: readonly number[];
  readonly spacing: readonly number[];
  readonly direction: Float64Array;
  readonly size: readonly number[];
  readonly metadata: ReadonlyMap<string, unknown>;
  readonly data: StoredVoxels;
}

/** An input of a pipeline. `file` is read and shown to it under the name `as`, since ITK knows some formats by name only. */
export type ItkInput =
  | { readonly image: ItkImage }
  | { readonly json: unknown }
  | { readonly file: string; readonly as: string };

/** What the thread is to do: plain data. */
export interface ItkTask {
  readonly pipeline: Pipeline;
  readonly args: readonly string[];
  readonly inputs: readonly ItkInput[];
  readonly outputs: readonly ('image' | 'json')[];
  /** Folders that the pipeline may see; everything else is hidden from it. */
  readonly mounts: readonly string[];
}

/** Its outputs, or what the pipeline said: words for a log, not for people. */
export type ItkAnswer = { readonly results: readonly unknown[] } | { readonly failed: string };
