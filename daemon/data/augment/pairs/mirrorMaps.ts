import type { Size3 } from '../../prepared/types.ts';

/** Mirrors maps [maps, D, H, W] along the axes that are true, in place. */
export function mirrorMaps(
  values: Float32Array | Uint8Array,
  maps: number,
  [slices, height, width]: Size3,
  [alongSlices, alongHeight, alongWidth]: readonly [boolean, boolean, boolean],
): void {
  const plane = height * width;
  for (let m = 0; m < maps; m++) {
    if (alongSlices) swapBlocks(values, m * slices * plane, slices, plane);
    for (let d = 0; alongHeight && d < slices; d++) swapBlocks(values, (m * slices + d) * plane, height, width);
  }
  for (let row = 0; alongWidth && row < maps * slices * height; row++)
    values.subarray(row * width, (row + 1) * width).reverse();
}

/** Reverses the order of `count` blocks of `length` values each, from `offset` on. */
function swapBlocks(values: Float32Array | Uint8Array, offset: number, count: number, length: number): void {
  for (let first = 0, last = count - 1; first < last; first++, last--) {
    const a = offset + first * length;
    const b = offset + last * length;
    const block = values.slice(a, a + length);
    values.copyWithin(a, b, b + length);
    values.set(block as never, b);
  }
}
