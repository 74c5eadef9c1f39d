import { DataType } from '../../dataType.ts';
import type { Builder, Value } from './builder.ts';
import type { Call, Family } from './call.ts';
import { dot } from './dot.ts';

/** Linear interpolation of pictures [P, h, w, C], as products with a matrix along each axis. */

/** Row i has the weights of the source's pixels in pixel i: pixels are areas, whose centres are matched, and edges are repeated. */
function weights(target: number, source: number): Float32Array {
  const matrix = new Float32Array(target * source);
  const scale = Math.fround(source / target);
  for (let i = 0; i < target; i++) {
    const at = (i + 0.5) * scale - 0.5;
    const low = Math.floor(at);
    const share = at - low;
    const clamp = (place: number) => Math.min(Math.max(place, 0), source - 1);
    for (const [place, weight] of [
      [clamp(low), 1 - share],
      [clamp(low + 1), share],
    ] as const)
      matrix[i * source + place] = (matrix[i * source + place] ?? 0) + weight;
  }
  return matrix;
}

/** Multiplies x along an axis: over axis `over` of a matrix; its other axis takes the place. */
function product(b: Builder, x: Value, axis: number, matrix: Value, over: 0 | 1): Value {
  const y = dot(b, x, matrix, [axis, over], { exact: true }); // the new axis is the last
  const last = x.shape.length - 1;
  const order = x.shape.map((_, i) => (i < axis ? i : i === axis ? last : i - 1));
  return b.transpose(y, order);
}

function checkCentres(call: Call): void {
  if (!call.bool('half_pixel_centers') || call.bool('align_corners'))
    throw new Error('pixels must match by their centres');
}

function resize(b: Builder, call: Call): Value[] {
  checkCentres(call);
  const [height, width] = call.integers(1);
  return [
    [height, width].reduce<Value>((x, target = 1, i) => {
      const source = x.shape[i + 1] ?? 1;
      const matrix = b.constant(DataType.float32, [target, source], weights(target, source));
      return product(b, x, i + 1, matrix, 1);
    }, call.tensor(0)),
  ];
}

/** Operands: dy, x of which only the shape matters. */
function resizeGradient(b: Builder, call: Call): Value[] {
  checkCentres(call);
  const [, height, width] = call.tensor(1).shape;
  return [
    [height, width].reduce<Value>((dy, source = 1, i) => {
      const target = dy.shape[i + 1] ?? 1;
      const matrix = b.constant(DataType.float32, [target, source], weights(target, source));
      return product(b, dy, i + 1, matrix, 0);
    }, call.tensor(0)),
  ];
}

export const resizing: Family = { ResizeBilinear: resize, ResizeBilinearGrad: resizeGradient };
