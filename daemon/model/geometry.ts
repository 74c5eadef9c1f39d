import { UnimissError } from '../../protocol/errors.ts';
import type { Modality } from '../../protocol/modality.ts';

/** Strides of the stem: slices of a volume are thick, so their axis is not reduced. */
export const stemStrides: Readonly<Record<Modality, readonly number[]>> = { '2D': [2, 2], '3D': [1, 2, 2] };

/** Output length of a convolution with kernel k, stride s and padding (k − 1) / 2 on both sides. */
function strided(length: number, kernel: number, stride: number): number {
  return Math.floor((length - kernel + 2 * Math.floor(kernel / 2)) / stride) + 1;
}

/**
 * The token grids of the encoder's stages, the finest first, for images of `size` ([H, W] or [D, H, W]).
 * @throws UnimissError if the strides do not divide the size: the decoder could not add its skip connections.
 */
export function stageGrids(modality: Modality, size: readonly number[], stages: number): number[][] {
  const strides = stemStrides[modality];
  const grids: number[][] = [];
  let grid = size.map((length, axis) => strided(length, 7, strides[axis]!));
  for (let stage = 0; stage < stages; stage++) {
    const next = grid.map((length) => strided(length, 3, 2));
    if (stage > 0 && next.some((length, axis) => 2 * length !== grid[axis]!))
      throw new UnimissError('config', `the strides of the network do not divide ${size.join('×')}`, {
        place: `${modality} image size`,
        remedy: `Use sizes that are multiples of ${strides.map((stride) => stride * 2 ** stages).join('×')}.`,
      });
    grids.push(next);
    grid = next;
  }
  return grids;
}

/** Number of cells of a grid. */
export function cells(grid: readonly number[]): number {
  return grid.reduce((product, length) => product * length, 1);
}
