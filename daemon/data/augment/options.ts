/**
 * The options of the views, as plain data for the worker threads and the run folder. Ranges are [lowest, highest], probabilities
 * 0–1. The defaults are those of the UniMiSS reference implementation.
 */
export type Range = readonly [low: number, high: number];
export type PerView<T> = readonly [view1: T, view2: T];

export type View2DOptions = {
  /** Probability of a horizontal flip. */
  flip: number;
  /** Factors are from 1 ± the strength; hue shifts by ± its strength (of the full circle). */
  jitter: { probability: number; brightness: number; contrast: number; saturation: number; hue: number };
  /** Probability of dropping the colours. */
  grey: number;
  /** `kernel`: taps (odd); `sigma` in pixels of the view. */
  blur: { probability: number; sigma: Range; kernel: number };
};

export type Views2DOptions = {
  /** Pixels of a view. */
  size: readonly [height: number, width: number];
  /** Share of the image's area that a crop covers, and its width / height. */
  area: Range;
  aspect: Range;
  views: PerView<View2DOptions>;
};

/** Probabilities of a change: for the volume, and then for each of its slices. */
export type VolumeThenSlice = { volume: number; slice: number };

export type View3DOptions = {
  /** Probability of a flip, for each axis separately. */
  flip: number;
  /** `deviation`: range of the noise's standard deviation; values are HU / 1024 here and below. */
  noise: { probability: number; deviation: Range };
  /** `sigma` in voxels of the view, in plane. */
  blur: VolumeThenSlice & { sigma: Range };
  multiply: { volume: number; factor: Range };
  add: VolumeThenSlice & { deviation: number };
  contrast: { volume: number; factor: Range };
  gamma: { volume: number; exponent: Range };
};

export type Views3DOptions = {
  /** Voxels of a view. */
  size: readonly [slices: number, height: number, width: number];
  /** Volumes are padded with 0 HU to at least this size: in plane at the end, slices on both sides. */
  padTo: readonly [slices: number, x: number, y: number];
  /** In-plane size of the crop for both views, and of each view's crop, in sizes of a view. */
  parentCrop: Range;
  crop: Range;
  /**
   * Whether to draw (and measure) blur, brightness, contrast and gamma slice by slice, as in the reference, or once for the
   * volume.
   */
  draw: 'slice' | 'volume';
  views: PerView<View3DOptions>;
};

/** The 2D views of the paper's pre-training; `size` is [224, 224] there. */
export function views2DOptions(size: Views2DOptions['size'] = [224, 224]): Views2DOptions {
  const view = (grey: number, blur: number): View2DOptions => ({
    flip: 0.5,
    jitter: { probability: 0.8, brightness: 0.4, contrast: 0.4, saturation: 0.2, hue: 0.1 },
    grey,
    blur: { probability: blur, sigma: [0.1, 2], kernel: 23 },
  });
  return { size, area: [0.14, 1], aspect: [3 / 4, 4 / 3], views: [view(0.8, 0.5), view(0.4, 1)] };
}

/**
 * The 3D views of the paper's pre-training; `size` is [16, 96, 96] there, and volumes are padded to 16×256×256. Smaller views
 * keep this ratio, so that a parent crop always fits.
 * @param pad in-plane size that volumes are padded to, in sizes of a view; null: the reference's ratio
 */
export function views3DOptions(
  size: Views3DOptions['size'] = [16, 96, 96],
  draw: Views3DOptions['draw'] = 'slice',
  pad: number | null = null,
): Views3DOptions {
  const view = (blurSlice: number, multiply: number, addSlice: PerView<number>, gamma: number): View3DOptions => ({
    flip: 0.8,
    noise: { probability: 1, deviation: [0, 0.1] },
    blur: { volume: 0.8, slice: blurSlice, sigma: [0.1, 2] },
    multiply: { volume: multiply, factor: [0.75, 1.25] },
    add: { volume: addSlice[0], slice: addSlice[1], deviation: 0.4 },
    contrast: { volume: 1, factor: [0.75, 1.25] },
    gamma: { volume: gamma, exponent: [0.7, 1.5] },
  });
  const padded = (side: number) => (pad === null ? Math.ceil((side * 256) / 96) : Math.ceil(side * pad));
  return {
    size,
    padTo: [size[0], padded(size[1]), padded(size[2])],
    parentCrop: [1.4, 1.8],
    crop: [0.8, 1.2],
    draw,
    views: [view(0.8, 0.8, [0.8, 0.8], 0.8), view(0.5, 1, [0.5, 0.8], 1)],
  };
}
