import type { Tensor } from '@tensorflow/tfjs-core';
import { rawOp } from '../rawOp.ts';
import { ints } from './constants.ts';

/** Linear interpolation of pictures x [P, h, w, C], and its gradient. It has no gradient of its own, as arithmetic.ts says. */

const centres = { half_pixel_centers: { bool: true } } as const;

/** x at [P, height, width, C]; pixels are areas, whose centres are matched (align_corners false), and edges are repeated. */
export function resizeLinear(x: Tensor, [height, width]: readonly [number, number]): Tensor {
  return rawOp('ResizeBilinear', [x, ints([height, width])], centres);
}

/** The gradient of `resizeLinear` by x. @param x only its shape matters */
export function resizeLinearGradient(dy: Tensor, x: Tensor): Tensor {
  return rawOp('ResizeBilinearGrad', [dy, x], centres);
}
