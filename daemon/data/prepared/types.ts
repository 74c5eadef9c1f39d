/** Sizes along [slices, height, width]; a picture has one slice. */
export type Size3 = readonly [slices: number, height: number, width: number];

/** Value of a voxel that counts for nothing: no loss, no metric. */
export const ignoredLabel = 255;

/**
 * Labels of voxels. Exclusive: one map [D, H, W] of class numbers (0: background), `ignoredLabel` where the reference does not
 * say. Overlapping: one map [D, H, W] a class, 1 where it is present, `ignoredLabel` in all of them where it is not known.
 */
export interface LabelMaps {
  readonly overlapping: boolean;
  readonly maps: number;
  /** [maps, D, H, W] */
  readonly data: Uint8Array;
}

/** An image as the network gets it, before patches are cut: in the plan's spacing, normalised. */
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
