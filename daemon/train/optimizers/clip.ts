import { minimum, mul, scalar, sqrt, type Tensor } from '@tensorflow/tfjs-core';
import { rawOp } from '../../engine/index.ts';

/** g · min(1, limit / (‖g‖ + 1e-6)) for one parameter's gradient, and its norm ‖g‖ before. */
export function clip(gradient: Tensor, limit: number): { clipped: Tensor; norm: Tensor } {
  const norm = sqrt(mul(rawOp('L2Loss', [gradient]), 2)); // L2Loss is half the sum of squares, without a temporary
  const factor = minimum(1, rawOp('RealDiv', [scalar(limit), rawOp('AddV2', [norm, scalar(1e-6)])]));
  return { clipped: mul(gradient, factor), norm };
}
