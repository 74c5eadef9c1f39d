/**
 * Doubles a slice in the plane by linear interpolation, half way between centres (align_corners false), as networks enlarge their logits.
 * @param scores [h, w, classes]
 * @param size [H, W] of what is wanted: 2h × 2w, or one less along an axis, whose last voxel is then left out
 * @param into [H, W, classes]
 */
export function doubleSlice(
  scores: Float32Array,
  [height, width]: readonly [number, number],
  classes: number,
  into: Float32Array,
): void {
  const [rows, columns] = [Math.ceil(height / 2), Math.ceil(width / 2)];
  const length = columns * classes;
  const row = new Float32Array(length);
  for (let y = 0; y < height; y++) {
    // Three quarters of the nearer one, a quarter of the other.
    const near = y >> 1;
    const far = Math.min(Math.max(near + (y & 1 ? 1 : -1), 0), rows - 1);
    for (let i = 0, a = near * length, b = far * length; i < length; i++, a++, b++)
      row[i] = 0.75 * scores[a]! + 0.25 * scores[b]!;
    for (let x = 0, to = y * width * classes; x < width; x++) {
      const own = x >> 1;
      const other = Math.min(Math.max(own + (x & 1 ? 1 : -1), 0), columns - 1);
      for (let k = 0, a = own * classes, b = other * classes; k < classes; k++, a++, b++, to++)
        into[to] = 0.75 * row[a]! + 0.25 * row[b]!;
    }
  }
}
