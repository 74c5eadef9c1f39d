/** Mirrors a volume [slices, height, width] along the axes that are true, in place. */
export function flipVolume(
  values: Float32Array,
  [slices, height, width]: readonly [number, number, number],
  [alongSlices, alongHeight, alongWidth]: readonly [boolean, boolean, boolean],
): void {
  if (alongSlices) swapBlocks(values, 0, slices, height * width);
  for (let d = 0; alongHeight && d < slices; d++) swapBlocks(values, d * height * width, height, width);
  for (let row = 0; alongWidth && row < slices * height; row++)
    values.subarray(row * width, (row + 1) * width).reverse();
}

/** Reverses the order of `count` blocks of `length` values each, from `offset` on. */
function swapBlocks(values: Float32Array, offset: number, count: number, length: number): void {
  for (let first = 0, last = count - 1; first < last; first++, last--) {
    const a = offset + first * length;
    const b = offset + last * length;
    const block = values.slice(a, a + length);
    values.copyWithin(a, b, b + length);
    values.set(block, b);
  }
}
