import type { MitConfig } from '../daemon/model/config.ts';

/** As small as a MiT can be. */
export const smallestModel: MitConfig = {
  stem: 4,
  encoder: { depths: [1, 1, 1, 1], dims: [4, 8, 8, 16], heads: [1, 2, 2, 2], reductions: [4, 2, 2, 1] },
  decoder: { depths: [1, 1, 1], dims: [8, 8, 4], heads: [2, 2, 1], reductions: [2, 2, 4] },
  head: { hidden: 16, bottleneck: 8, out: 32 },
  size2D: [64, 64],
  size3D: [16, 64, 64],
};
