import type { Channel } from '../../../protocol/config/finetune/index.ts';
import type { Modality } from '../../../protocol/modality.ts';
import type { Size3 } from './types.ts';

/** What an image is prepared for: plain data that travels to threads and names copies in the cache. */
export interface PrepareSettings {
  readonly modality: Modality;
  /** Wanted spacing, mm, [slice, x, y]; null: as stored. */
  readonly spacing: readonly [number, number, number] | null;
  /** Size that the whole image is brought to; null: what the spacing gives. */
  readonly size: Size3 | null;
  readonly channels: readonly Channel[];
  /** The number of the volume that is taken from files with several (4-D), from 0; absent: such files are refused. */
  readonly volume?: number;
}

/** Where the labels of an image's voxels are. */
export interface LabelFiles {
  readonly overlapping: boolean;
  /**
   * Values of each class in a label map. Exclusive: the background comes first (`[[0], [1], …]`), and each value has one class.
   * Overlapping (regions): without background, and a value may belong to several.
   */
  readonly classes: readonly (readonly number[])[];
  /** Value of voxels that count for nothing. */
  readonly ignore: number | null;
  /** One label map, or one mask a class (without background; null: the class is not there). A mask is where its values are not 0. */
  readonly from:
    | { readonly kind: 'map'; readonly path: string }
    | { readonly kind: 'masks'; readonly paths: readonly (string | null)[] };
}

/** The files of an image. */
export interface CaseFiles {
  readonly id: string;
  /** One file with all channels, or one a channel. */
  readonly images: readonly string[];
  readonly labels?: LabelFiles;
}
