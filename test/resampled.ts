import type { Affine } from '../daemon/data/formats/niftiGeometry.ts';

/** Voxels in array order [slices, rows, columns] and the map from their indices to RAS millimetres. */
export interface Placed {
  readonly shape: readonly [number, number, number];
  readonly data: ArrayLike<number>;
  readonly affine: Affine;
}

type Point = readonly [number, number, number];

/** The place of a point, an array index or millimetres, under an affine. */
function at(affine: Affine, [a, b, c]: Point): [number, number, number] {
  const row = (r: 0 | 1 | 2) => affine[r][0] * a + affine[r][1] * b + affine[r][2] * c + affine[r][3];
  return [row(0), row(1), row(2)];
}

/** From millimetres to array indices. */
function inverse([[a, b, c, p], [d, e, f, q], [g, h, i, r]]: Affine): Affine {
  const whole = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  const row = (u: number, v: number, w: number) => {
    const [x, y, z] = [u / whole, v / whole, w / whole];
    return [x, y, z, -(x * p + y * q + z * r)] as const;
  };
  return [
    row(e * i - f * h, c * h - b * i, b * f - c * e),
    row(f * g - d * i, a * i - c * g, c * d - a * f),
    row(d * h - e * g, b * g - a * h, a * e - b * d),
  ];
}

/**
 * What an image shows at the voxels of another grid: linear, or of labels the nearest. Written for tests, independently of the product.
 * @param outside value beyond the image
 */
export function resampledInto(
  { shape, data, affine }: Placed,
  target: Pick<Placed, 'shape' | 'affine'>,
  { nearest, outside }: { readonly nearest: boolean; readonly outside: number },
): Float32Array {
  const [depth, height, width] = shape;
  const out = new Float32Array(target.shape[0] * target.shape[1] * target.shape[2]);
  const back = inverse(affine);
  const value = (z: number, y: number, x: number) =>
    z < 0 || y < 0 || x < 0 || z >= depth || y >= height || x >= width ? outside : data[(z * height + y) * width + x]!;
  let v = 0;
  for (let k = 0; k < target.shape[0]; k++)
    for (let j = 0; j < target.shape[1]; j++)
      for (let i = 0; i < target.shape[2]; i++, v++) {
        const [z, y, x] = at(back, at(target.affine, [k, j, i]));
        if (nearest) {
          out[v] = value(Math.round(z), Math.round(y), Math.round(x));
          continue;
        }
        const [z0, y0, x0] = [Math.floor(z), Math.floor(y), Math.floor(x)];
        let sum = 0;
        for (const [dz, wz] of [[0, 1 - (z - z0)] as const, [1, z - z0] as const])
          for (const [dy, wy] of [[0, 1 - (y - y0)] as const, [1, y - y0] as const])
            for (const [dx, wx] of [[0, 1 - (x - x0)] as const, [1, x - x0] as const]) {
              const weight = wz * wy * wx;
              if (weight > 1e-9) sum += weight * value(z0 + dz, y0 + dy, x0 + dx);
            }
        out[v] = sum;
      }
  return out;
}

/**
 * A grid that is turned against an image's, about its middle, with voxels as large and room for all of it.
 * @param angles radians, about the axis from feet to head, then about that from right to left
 */
export function turnedGrid(
  { shape, affine }: Pick<Placed, 'shape' | 'affine'>,
  [a, b]: readonly [number, number],
): Pick<Placed, 'shape' | 'affine'> {
  const turn: readonly Point[] = [
    [Math.cos(a), -Math.sin(a), 0],
    [Math.cos(b) * Math.sin(a), Math.cos(b) * Math.cos(a), -Math.sin(b)],
    [Math.sin(b) * Math.sin(a), Math.sin(b) * Math.cos(a), Math.cos(b)],
  ];
  const spacing = ([0, 1, 2] as const).map((c) => Math.hypot(affine[0][c], affine[1][c], affine[2][c]));
  // The box around the image turns with it the other way: as long as its corners reach along each new axis.
  const columns = ([0, 1, 2] as const).map((c) =>
    turn.map((row) => row[0] * affine[0][c] + row[1] * affine[1][c] + row[2] * affine[2][c]),
  );
  const unit = columns.map((column, c) => column.map((value) => value / spacing[c]!));
  const reach = unit.map((axis) =>
    ([0, 1, 2] as const).reduce<number>(
      (sum, c) =>
        sum + Math.abs(axis.reduce((dot, value, r) => dot + value * affine[r as 0 | 1 | 2][c], 0)) * (shape[c] - 1),
      0,
    ),
  );
  const size = reach.map((mm, c) => Math.ceil(mm / spacing[c]!) + 1);
  const [depth = 1, height = 1, width = 1] = size;
  const middle = at(affine, [(shape[0] - 1) / 2, (shape[1] - 1) / 2, (shape[2] - 1) / 2]);
  const row = (r: 0 | 1 | 2) => {
    const [x, y, z] = columns.map((column) => column[r]!) as [number, number, number];
    const shift = middle[r] - (x * (depth - 1) + y * (height - 1) + z * (width - 1)) / 2;
    return [x, y, z, shift] as const;
  };
  return { shape: [depth, height, width], affine: [row(0), row(1), row(2)] };
}

/** Dice of a label; 1 where neither has it. */
export function dice(a: ArrayLike<number>, b: ArrayLike<number>, label: number): number {
  let [both, sum] = [0, 0];
  for (let v = 0; v < a.length; v++) {
    const [one, other] = [a[v] === label, b[v] === label];
    if (one && other) both++;
    sum += Number(one) + Number(other);
  }
  return sum === 0 ? 1 : (2 * both) / sum;
}
