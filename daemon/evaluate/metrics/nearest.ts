import { IndexList, type SurfacePoints } from './surfaceVoxels.ts';

/** No point in this row. */
const none = 32767;
/** Rows of the lattice that the quick search looks at before it leaves a point to the distance transform. */
const mostRows = 600;

/**
 * Distance in mm from each point of `from` to the nearest of `to`; Infinity where `to` is empty. Exact.
 *
 * Both lie on the same lattice. Each row first gets the distance to its nearest point (a scan in both directions). A point
 * then looks at the rows around it, nearest rows first, until no row can be nearer than what it has found. Points far from
 * everything would look at many rows: they use the separable transform of Felzenszwalb and Huttenlocher ("Distance transforms
 * of sampled functions", 2012) along the second axis, and rows of the third axis only.
 * @param spacing mm, in the order of the lattice's axes
 */
export function nearestDistances(
  from: SurfacePoints,
  to: SurfacePoints,
  spacing: readonly [number, number, number],
): Float64Array {
  const distances = new Float64Array(from.indices.length);
  if (to.indices.length === 0) return distances.fill(Number.POSITIVE_INFINITY);
  const alongRows = rowOffsets(to);
  const far = quickSearch(from, alongRows, spacing, distances);
  if (far.length > 0) searchSlices(from, far, alongRows, spacing, distances);
  return distances;
}

/** Steps to the nearest point in the same row, [D, H, W]. */
function rowOffsets({ size, indices }: SurfacePoints): Int16Array {
  const [depth, height, width] = size;
  const offsets = new Int16Array(depth * height * width).fill(none);
  for (const index of indices) offsets[index] = 0;
  // Only rows with a point: those of a sorted list are found on the way.
  let row = -1;
  for (const index of indices) {
    const own = Math.floor(index / width);
    if (own === row) continue;
    row = own;
    const [start, end] = [row * width, (row + 1) * width];
    for (let i = start + 1, last = offsets[start]!; i < end; i++) {
      const next = last === none ? none : last + 1;
      last = offsets[i] === 0 ? 0 : next;
      offsets[i] = last;
    }
    for (let i = end - 2, last = offsets[end - 1]!; i >= start; i--) {
      const next = last === none ? none : last + 1;
      if (next < offsets[i]!) offsets[i] = next;
      last = offsets[i]!;
    }
  }
  return offsets;
}

/** Fills the distances that few rows decide; returns the positions (in `from.indices`) of the others. */
function quickSearch(
  from: SurfacePoints,
  offsets: Int16Array,
  spacing: readonly [number, number, number],
  distances: Float64Array,
): Int32Array {
  const [depth, height, width] = from.size;
  const [sz, sy, sx] = spacing;
  const far = new IndexList();
  for (let n = 0; n < from.indices.length; n++) {
    const index = from.indices[n]!;
    if (offsets[index] === 0) continue; // the distance is 0
    const z = Math.floor(index / (height * width));
    const rest = index - z * height * width;
    const y = Math.floor(rest / width);
    let best = Number.POSITIVE_INFINITY;
    let looked = 0;
    for (let dz = 0; dz < depth; dz++) {
      const zz = (dz * sz) ** 2;
      if (zz >= best) break;
      const [below, above] = [z - dz >= 0, dz > 0 && z + dz < depth];
      if (!below && !above && z + dz >= depth) break;
      for (let dy = 0; dy < height; dy++) {
        const zy = zz + (dy * sy) ** 2;
        if (zy >= best) break;
        const [left, right] = [y - dy >= 0, dy > 0 && y + dy < height];
        if (!left && !right && y + dy >= height) break;
        for (let side = 0; side < 4; side++) {
          if (!((side & 1 ? above : below) && (side & 2 ? right : left))) continue;
          const at = index + (side & 1 ? dz : -dz) * height * width + (side & 2 ? dy : -dy) * width;
          const dx = offsets[at]!;
          looked++;
          if (dx === none) continue;
          const square = zy + (dx * sx) ** 2;
          if (square < best) best = square;
        }
      }
      if (looked > mostRows) break;
    }
    if (looked > mostRows) far.add(n);
    else distances[n] = Math.sqrt(best);
  }
  return far.toArray();
}

/** The same for the points at `positions`, with the nearest point of every slice known beforehand. */
function searchSlices(
  from: SurfacePoints,
  positions: Int32Array,
  offsets: Int16Array,
  spacing: readonly [number, number, number],
  distances: Float64Array,
): void {
  const [depth, height, width] = from.size;
  const [sz, sy, sx] = spacing;
  const slice = height * width;
  const wanted = new Uint8Array(slice);
  for (const n of positions) wanted[from.indices[n]! % slice] = 1;
  const rows = sliceRows(from.size, offsets, [sy, sx], wanted);
  for (const n of positions) {
    const index = from.indices[n]!;
    const z = Math.floor(index / slice);
    const inSlice = index - z * slice;
    const y = Math.floor(inSlice / width);
    const x = inSlice - y * width;
    let best = Number.POSITIVE_INFINITY;
    for (let dz = 0; dz < depth; dz++) {
      const zz = (dz * sz) ** 2;
      if (zz >= best) break;
      for (const at of dz === 0 ? [z] : [z - dz, z + dz]) {
        if (at < 0 || at >= depth) continue;
        const row = rows[at * slice + inSlice]!;
        if (row === none) continue;
        const dx = offsets[at * slice + row * width + x]!;
        const square = zz + ((row - y) * sy) ** 2 + (dx * sx) ** 2;
        if (square < best) best = square;
      }
    }
    distances[n] = Math.sqrt(best);
  }
}

/** For the wanted places of every slice, the row of the nearest point in the same slice: lower envelopes of parabolas. */
function sliceRows(
  [depth, height, width]: SurfacePoints['size'],
  offsets: Int16Array,
  [sy, sx]: readonly [number, number],
  wanted: Uint8Array,
): Int16Array {
  const slice = height * width;
  const rows = new Int16Array(depth * slice).fill(none);
  const columns = Array.from({ length: width }, (_, x) => x).filter((x) => {
    for (let y = 0; y < height; y++) if (wanted[y * width + x]) return true;
    return false;
  });
  const apex = new Int32Array(height);
  const value = new Float64Array(height);
  const border = new Float64Array(height + 1);
  const unit = sy * sy;
  for (let z = 0; z < depth; z++)
    for (const x of columns) {
      const base = z * slice + x;
      let k = -1;
      for (let y = 0; y < height; y++) {
        const dx = offsets[base + y * width]!;
        if (dx === none) continue;
        const f = (dx * sx) ** 2 + unit * y * y;
        let cross = Number.NEGATIVE_INFINITY;
        while (k >= 0) {
          cross = (f - value[k]!) / (2 * unit * (y - apex[k]!));
          if (cross > border[k]!) break;
          k--;
          cross = Number.NEGATIVE_INFINITY;
        }
        k++;
        apex[k] = y;
        value[k] = f;
        border[k] = cross;
      }
      if (k < 0) continue;
      const last = k;
      k = 0;
      for (let y = 0; y < height; y++) {
        while (k < last && border[k + 1]! < y) k++;
        rows[base + y * width] = apex[k]!;
      }
    }
  return rows;
}
