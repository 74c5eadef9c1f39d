/** An 8-bit colour image, as the readers return it: `data` is RGB in C order [height, width, 3]. Both sizes are at least 1. */
export type Image2D = {
  kind: '2D';
  width: number;
  height: number;
  data: Uint8Array;
};

/**
 * A volume, as the readers return it. `data` is in HU (or its counterpart in other modalities), finite, in C order [slices, x,
 * y]; every size is at least 1. `spacing` is in mm, in the same axis order.
 */
export type Volume = {
  kind: '3D';
  shape: readonly [slices: number, x: number, y: number];
  data: Int16Array | Float32Array;
  spacing: readonly [slice: number, x: number, y: number];
};
