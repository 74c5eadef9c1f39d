import { expect, test } from 'vitest';
import { productFlops } from './flops.ts';

/** Written as lower/dot.ts and lower/convolution.ts write them. */
const dot =
  '%2 = stablehlo.dot_general %0, %1, batching_dims = [0] x [0], contracting_dims = [2] x [1], precision = [HIGHEST, HIGHEST] : (tensor<5x2x3xf32>, tensor<5x3x4xf32>) -> tensor<5x2x4xf32>';
const convolution = (axes: string, window: string, types: string) =>
  `%3 = stablehlo.convolution(%0, %1) dim_numbers = ${axes}, window = {${window}} {batch_group_count = 1 : i64, feature_group_count = 1 : i64} : ${types}`;

test('a product: 2 · its result · what is summed', () => {
  expect(productFlops(`${dot}\n%3 = stablehlo.add %2, %2 : tensor<5x2x4xf32>`)).toBe(2 * 5 * 2 * 4 * 3);
});

// 2 images of 8×8 with 3 channels, kernel 2×2 with stride 2, to 5 channels: 2 · 4 · 4 results of 5 channels, each of 2 · 2 · 3 products.
const expected = 2 * (2 * 4 * 4 * 5) * (2 * 2 * 3);

test.each([
  [
    'itself',
    convolution(
      '[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]',
      'stride = [2, 2], pad = [[0, 0], [0, 0]]',
      '(tensor<2x8x8x3xf32>, tensor<2x2x3x5xf32>) -> tensor<2x4x4x5xf32>',
    ),
  ],
  [
    'gradient by the input',
    convolution(
      '[b, 0, 1, f]x[0, 1, o, i]->[b, 0, 1, f]',
      'pad = [[1, 1], [1, 1]], lhs_dilate = [2, 2]',
      '(tensor<2x4x4x5xf32>, tensor<2x2x3x5xf32>) -> tensor<2x8x8x3xf32>',
    ),
  ],
  [
    'gradient by the kernel',
    convolution(
      '[f, 0, 1, b]x[i, 0, 1, o]->[0, 1, b, f]',
      'pad = [[0, 0], [0, 0]], rhs_dilate = [2, 2]',
      '(tensor<2x8x8x3xf32>, tensor<2x4x4x5xf32>) -> tensor<2x2x3x5xf32>',
    ),
  ],
])('a convolution and its gradients count the same: %s', (_, line) => {
  expect(productFlops(line)).toBe(expected);
});
