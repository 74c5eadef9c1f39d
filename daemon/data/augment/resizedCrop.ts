import type { Image2D } from '../types.ts';
import type { Box } from './randomCrop.ts';

/** Weights are fixed-point numbers with this many binary places, so that a row of bicubic weights times 255 fits 32 bits. */
const precisionBits = 22;

/**
 * Cuts `box` from an image and resizes it to `height` × `width`: bicubic (a = −0.5), with antialiasing when shrinking, in fixed
 * point, rounded to 8 bits after each of two passes, first along rows, like PIL (bit for bit up to Pillow 10; newer ones
 * sometimes begin with columns). Pixels outside the box have no influence.
 *
 * @returns RGB [height, width, 3], a new array
 */
export function resizedCrop(image: Image2D, box: Box, height: number, width: number): Uint8Array {
  const rows = resizeRows(image, box, width);
  return resizeColumns(rows, box.height, width, height);
}

/** What each output position reads: `count` inputs from `first` on, weighted by `weights` from position · `stride` on. */
type Taps = { first: Int32Array; count: Int32Array; weights: Int32Array; stride: number };

/** The first pass: [box.height, outWidth, 3]. */
function resizeRows(image: Image2D, box: Box, outWidth: number): Uint8ClampedArray {
  const taps = bicubicTaps(box.width, outWidth);
  const source = image.data;
  const out = new Uint8ClampedArray(box.height * outWidth * 3);
  const half = 1 << (precisionBits - 1);
  let to = 0;
  for (let y = 0; y < box.height; y++) {
    const rowStart = ((box.top + y) * image.width + box.left) * 3;
    for (let x = 0; x < outWidth; x++) {
      let at = rowStart + taps.first[x]! * 3;
      let red = half;
      let green = half;
      let blue = half;
      const end = x * taps.stride + taps.count[x]!;
      for (let k = x * taps.stride; k < end; k++) {
        const weight = taps.weights[k]!;
        red = (red + Math.imul(source[at]!, weight)) | 0;
        green = (green + Math.imul(source[at + 1]!, weight)) | 0;
        blue = (blue + Math.imul(source[at + 2]!, weight)) | 0;
        at += 3;
      }
      out[to] = red >> precisionBits;
      out[to + 1] = green >> precisionBits;
      out[to + 2] = blue >> precisionBits;
      to += 3;
    }
  }
  return out;
}

/** The second pass, row by row in the order of memory: [outHeight, width, 3]. */
function resizeColumns(rows: Uint8ClampedArray, height: number, width: number, outHeight: number): Uint8Array {
  const taps = bicubicTaps(height, outHeight);
  const length = width * 3;
  const out = new Uint8ClampedArray(outHeight * length);
  const sums = new Int32Array(length);
  for (let y = 0; y < outHeight; y++) {
    sums.fill(1 << (precisionBits - 1));
    for (let k = 0; k < taps.count[y]!; k++) {
      const weight = taps.weights[y * taps.stride + k]!;
      const from = (taps.first[y]! + k) * length;
      for (let i = 0; i < length; i++) sums[i] = sums[i]! + Math.imul(rows[from + i]!, weight);
    }
    const to = y * length;
    for (let i = 0; i < length; i++) out[to + i] = sums[i]! >> precisionBits;
  }
  return new Uint8Array(out.buffer);
}

function bicubicTaps(inSize: number, outSize: number): Taps {
  const scale = inSize / outSize;
  const filterScale = Math.max(scale, 1); // shrinking widens the kernel: that is the antialiasing
  const support = 2 * filterScale;
  const stride = Math.ceil(support) * 2 + 1;
  const taps: Taps = {
    first: new Int32Array(outSize),
    count: new Int32Array(outSize),
    weights: new Int32Array(outSize * stride),
    stride,
  };
  const weights = new Float64Array(stride);
  for (let position = 0; position < outSize; position++) {
    const center = (position + 0.5) * scale;
    const first = Math.max(0, Math.trunc(center - support + 0.5));
    const count = Math.min(inSize, Math.trunc(center + support + 0.5)) - first;
    let sum = 0;
    for (let k = 0; k < count; k++) {
      weights[k] = bicubic((first + k - center + 0.5) / filterScale);
      sum += weights[k]!;
    }
    taps.first[position] = first;
    taps.count[position] = count;
    // Rounded half away from zero.
    for (let k = 0; k < count; k++) {
      const fixed = (weights[k]! / sum) * (1 << precisionBits);
      taps.weights[position * stride + k] = fixed < 0 ? Math.trunc(fixed - 0.5) : Math.trunc(fixed + 0.5);
    }
  }
  return taps;
}

/** The cubic convolution kernel with a = −0.5 (Keys, 1981). */
function bicubic(distance: number): number {
  const a = -0.5;
  const x = Math.abs(distance);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return ((x - 5) * x + 8) * a * x - 4 * a;
  return 0;
}
