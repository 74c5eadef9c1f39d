/** The named sizes of MiT. daemon/model has the depths and dimensions of each; this file has what a run may override. */
export const presetNames = ['nano', 'tiny', 'small'] as const;
export type PresetName = (typeof presetNames)[number];

/** Stages of an encoder. Runs of versions that did not record them have 4. */
export type Stages = 3 | 4;

export interface Preset {
  /** Stages of the encoder. */
  readonly stages: Stages;
  /** Height and width of a 2D view, pixels. */
  readonly size2D: readonly [number, number];
  /** Slices, height and width of a 3D view, voxels. */
  readonly size3D: readonly [number, number, number];
  /** Widths of the projection head: two hidden layers, bottleneck, outputs. */
  readonly head: { readonly hidden: number; readonly bottleneck: number; readonly outDim: number };
}

const paperSizes = {
  stages: 4,
  size2D: [224, 224],
  size3D: [16, 96, 96],
  head: { hidden: 2048, bottleneck: 256, outDim: 65536 },
} as const;

/**
 * `nano` has three stages: its views are so small that a fourth would have four positions. InstanceNorm over four positions, whose mean is
 * 0 by definition, leaves next to nothing of an image (docs/results.md).
 */
export const presets: Readonly<Record<PresetName, Preset>> = {
  nano: { stages: 3, size2D: [64, 64], size3D: [16, 64, 64], head: { hidden: 256, bottleneck: 64, outDim: 1024 } },
  tiny: paperSizes,
  small: paperSizes,
};

/** The stem and the four stages divide a side by this: 2D and in-plane 2·2⁴, slices 2⁴ (the stem keeps them). */
export const strides = { '2D': [32, 32], '3D': [16, 32, 32] } as const;

/** The smallest in-plane side: on fewer than 2×2 patches the last InstanceNorm would erase the image. */
export const smallestSide = 64;
