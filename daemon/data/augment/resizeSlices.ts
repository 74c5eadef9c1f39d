/**
 * Resizes every slice to `outHeight` × `outWidth`: bilinear, half-pixel centres, clamped at the edge, no antialiasing (PyTorch's
 * `interpolate` with align_corners false).
 *
 * @param values [slices, height, width]
 * @returns [slices, outHeight, outWidth], a new array
 */
export function resizeSlices(
  values: Float32Array,
  [slices, height, width]: readonly [number, number, number],
  outHeight: number,
  outWidth: number,
): Float32Array {
  const out = new Float32Array(slices * outHeight * outWidth);
  const rows = neighbors(height, outHeight);
  const columns = neighbors(width, outWidth);
  const row = new Float64Array(width);
  for (let d = 0; d < slices; d++) {
    for (let y = 0; y < outHeight; y++) {
      const upper = (d * height + rows.lower[y]!) * width;
      const lower = (d * height + rows.upper[y]!) * width;
      const down = rows.share[y]!;
      for (let x = 0; x < width; x++) {
        const above = values[upper + x]!;
        row[x] = above + (values[lower + x]! - above) * down;
      }
      const to = (d * outHeight + y) * outWidth;
      for (let x = 0; x < outWidth; x++) {
        const left = row[columns.lower[x]!]!;
        out[to + x] = left + (row[columns.upper[x]!]! - left) * columns.share[x]!;
      }
    }
  }
  return out;
}

/** For each output position the two input positions around it, and the share of the upper one. */
function neighbors(inSize: number, outSize: number) {
  const lower = new Int32Array(outSize);
  const upper = new Int32Array(outSize);
  const share = new Float64Array(outSize);
  for (let i = 0; i < outSize; i++) {
    const position = Math.max(0, ((i + 0.5) * inSize) / outSize - 0.5);
    lower[i] = Math.min(Math.floor(position), inSize - 1);
    upper[i] = Math.min(lower[i]! + 1, inSize - 1);
    share[i] = position - lower[i]!;
  }
  return { lower, upper, share };
}
