import { type BoxMask, IndexList, type SurfacePoints } from './surfaceVoxels.ts';
import { surfelNormals } from './surfelNormals.ts';

/**
 * Surface elements as surface-distance defines them: the corners between voxels whose neighbourhood of 2×2×2 (2×2) voxels is
 * neither empty nor full, each with the area of the surface in it. The lattice has one more point along each axis than the box.
 */
export function surfels(
  { size, data }: BoxMask,
  rank: 2 | 3,
  spacing: readonly [number, number, number],
): SurfacePoints {
  const [depth, height, width] = size;
  const lattice = [rank === 3 ? depth + 1 : 1, height + 1, width + 1] as const;
  const areas = rank === 3 ? surfaceAreas(spacing) : contourLengths(spacing);
  const row = width + 2;
  const slice = row * (height + 2);
  const found = new IndexList();
  const codes = new IndexList();
  let out = 0;
  for (let z = 0; z < lattice[0]; z++)
    for (let y = 0; y < lattice[1]; y++)
      for (let x = 0; x < lattice[2]; x++, out++) {
        const i = (rank === 3 ? z : 1) * slice + y * row + x;
        const plane = square(data, i, row);
        const code = rank === 3 ? (plane << 4) | square(data, i + slice, row) : plane;
        if (code === 0 || code === areas.length - 1) continue;
        found.add(out);
        codes.add(code);
      }
  return {
    size: lattice,
    indices: found.toArray(),
    weights: Float64Array.from(codes.toArray(), (code) => areas[code]!),
  };
}

/** Four neighbours in a plane as bits. */
function square(data: Uint8Array, i: number, row: number): number {
  return (data[i]! << 3) | (data[i + 1]! << 2) | (data[i + row]! << 1) | data[i + row + 1]!;
}

/** Area in mm² by the code of a neighbourhood. */
function surfaceAreas([a, b, c]: readonly [number, number, number]): readonly number[] {
  return surfelNormals.map((normals) => {
    let area = 0;
    for (let i = 0; i < normals.length; i += 3)
      area += Math.hypot(normals[i]! * b * c, normals[i + 1]! * a * c, normals[i + 2]! * a * b);
    return area;
  });
}

/** Length in mm by the code of a neighbourhood: corners are cut, and two opposite corners are two cuts. */
function contourLengths([, vertical, horizontal]: readonly [number, number, number]): readonly number[] {
  const cut = 0.5 * Math.hypot(vertical, horizontal);
  const straight: Record<number, number> = { 3: horizontal, 12: horizontal, 5: vertical, 10: vertical };
  return Array.from({ length: 16 }, (_, code) => {
    if (code === 0 || code === 15) return 0;
    return straight[code] ?? (code === 6 || code === 9 ? 2 * cut : cut);
  });
}
