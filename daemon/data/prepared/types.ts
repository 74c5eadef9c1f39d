/** Sizes along [slices, height, width]; a picture has one slice. */
export type Size3 = readonly [slices: number, height: number, width: number];

/** Label of a voxel that neither loss nor metrics count. */
export const ignoredLabel = 255;

/**
 * Labels of voxels. Exclusive: one map [D, H, W] of class numbers (0: background), `ignoredLabel` where the reference is unknown.
 * Overlapping: one map [D, H, W] per class, 1 where it is present, `ignoredLabel` in all maps where unknown.
 */
export interface LabelMaps {
  readonly overlapping: boolean;
  readonly maps: number;
  /** [maps, D, H, W] */
  readonly data: Uint8Array;
}

/** An image for the network, before patches are cut: in the plan's spacing, normalised. */
export interface PreparedImage {
  readonly size: Size3;
  readonly channels: number;
  /** [channels, D, H, W], without units. */
  readonly image: Float32Array;
  /** Absent for classification and prediction. */
  readonly labels?: LabelMaps;
}

/** A part of an image with labels that has the size of a patch. */
export type Patch = PreparedImage;
