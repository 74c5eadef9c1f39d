/**
 * The label with the most weight among `count` neighbours (ties: the smaller number).
 * @param at indices from `offset` on; −1 is outside, which is background
 */
export function mostWeight(
  labels: Uint8Array,
  offset: number,
  at: Int32Array,
  weight: Float64Array,
  count: number,
): number {
  const label = (i: number) => (at[i]! < 0 ? 0 : labels[offset + at[i]!]!);
  const first = label(0);
  let same = 1;
  while (same < count && label(same) === first) same++;
  if (same === count) return first; // nearly all voxels
  let best = first;
  let most = -1;
  for (let i = 0; i < count; i++) {
    const candidate = label(i);
    let sum = 0;
    for (let j = 0; j < count; j++) if (label(j) === candidate) sum += weight[j]!;
    if (sum > most + 1e-9 || (sum > most - 1e-9 && candidate < best)) {
      best = candidate;
      most = sum;
    }
  }
  return best;
}
