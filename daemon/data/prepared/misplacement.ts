import type { Affine } from '../formats/niftiGeometry.ts';
import type { Size3 } from './types.ts';

/** Distance of voxels, in voxels, above which two files are said to lie elsewhere, and above which they cannot be used together. */
const [noticeable, unusable] = [0.1, 1];

export interface Placed {
  readonly path: string;
  readonly size: Size3;
  /** null: a picture. */
  readonly affine: Affine | null;
}

export interface Misplaced {
  readonly path: string;
  /** A clause whose subject is the file. */
  readonly what: string;
  /** Whether the case cannot be used. */
  readonly fatal: boolean;
}

export const misplacedRemedy = 'Resample it to the grid of its image, or make it again from that image.';

/** Where a file lies otherwise than the image: another size, or voxels of the same index in another place. */
export function misplacement(file: Placed, image: Placed): Misplaced | undefined {
  const { path } = file;
  if (file.size.some((n, axis) => n !== image.size[axis]))
    return { path, what: `has a size of ${sizeText(file)}, but its image has ${sizeText(image)}`, fatal: true };
  if (!file.affine || !image.affine) return undefined;
  const voxels = largestShift(file.affine, image.affine, image.size);
  if (voxels <= noticeable) return undefined;
  const what = `lies up to ${+voxels.toPrecision(2)} voxels from its image (another spacing, origin or direction)`;
  return { path, what, fatal: voxels > unusable };
}

function sizeText({ size, affine }: Placed): string {
  return (affine ? size : size.slice(1)).join('×');
}

/** The largest distance between voxels of the same index, in voxels of the second map; it is at a corner. */
function largestShift(a: Affine, b: Affine, size: Size3): number {
  const finest = Math.min(...[0, 1, 2].map((axis) => Math.hypot(...b.map((row) => row[axis] ?? 0))));
  let most = 0;
  for (let corner = 0; corner < 8; corner++) {
    const [i, j, k] = [0, 1, 2].map((axis) => ((corner >> axis) & 1) * ((size[axis] ?? 1) - 1)) as [
      number,
      number,
      number,
    ];
    const apart = a.map((row, r) => {
      const other = b[r]!;
      return row[0] * i + row[1] * j + row[2] * k + row[3] - (other[0] * i + other[1] * j + other[2] * k + other[3]);
    });
    most = Math.max(most, Math.hypot(...apart) / finest);
  }
  return most;
}
