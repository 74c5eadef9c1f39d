import { type ImageGeometry, type PlaneName, planeAxes } from '../protocol/viewer/geometry.ts';
import type { PieceKind } from '../protocol/viewer/planes.ts';
import { coarseIndex } from './coarseCopy.ts';
import type { VoxelStore } from './voxelStore.ts';

/** Numbers of a plane, row by row: value = slope · number + intercept. */
export interface CutPlane {
  readonly width: number;
  readonly height: number;
  readonly kind: Exclude<PieceKind, 'rgb'>;
  readonly numbers: Int16Array | Uint16Array | Float32Array;
  readonly slope: number;
  readonly intercept: number;
  readonly complete: boolean;
}

/** Where a plane's voxels lie in the stored array. */
export interface PlaneWalk {
  readonly width: number;
  readonly height: number;
  /** Index of the voxel at the plane's upper left. */
  readonly start: number;
  readonly acrossStep: number;
  readonly downStep: number;
}

/** How to walk through the stored voxels of a plane; `index` counts along its `through` axis. */
export function planeWalk(
  { shape, stored }: ImageGeometry,
  size: VoxelStore['size'],
  plane: PlaneName,
  index: number,
): PlaneWalk {
  const strides = [1, size[0], size[0] * size[1]] as const;
  const { across, down, through } = planeAxes[plane];
  let start = 0;
  const stepOf = (axis: 0 | 1 | 2) => {
    const source = stored[axis];
    if (!source) return 0;
    const stride = strides[source.axis];
    if (source.reversed) start += stride * (shape[axis] - 1);
    return source.reversed ? -stride : stride;
  };
  const [acrossStep, downStep, throughStep] = [stepOf(across), stepOf(down), stepOf(through)];
  start += throughStep * index;
  return { width: shape[across], height: shape[down], start, acrossStep, downStep };
}

/** The last of a plane's voxels in the stored order: the plane is there when the file has been read up to it. */
export function lastVoxel({ width, height, start, acrossStep, downStep }: PlaneWalk): number {
  return start + Math.max(0, acrossStep * (width - 1)) + Math.max(0, downStep * (height - 1));
}

/**
 * The numbers of a plane. Integers of at most 16 bits stay as they are stored, others become values of 32 bits. Where the file has not been read
 * yet, there is what the coarse copy of an earlier time says; without one, and where the file cannot be read, there is NaN.
 */
export function cutPlane(store: VoxelStore, walk: PlaneWalk): CutPlane {
  const { voxels, scaling, available, coarse, size } = store;
  const { width, height, start, acrossStep, downStep } = walk;
  const complete = lastVoxel(walk) < available;
  const { kind, numbers } = numbersFor(store, complete || coarse !== undefined, width * height);
  const later = (p: number) =>
    coarse ? Number(coarse.voxels[coarseIndex(coarse, size, p)]) * slope + intercept : Number.NaN;
  const { slope, intercept } = kind === 'float32' ? scaling : { slope: 1, intercept: 0 };
  let o = 0;
  for (let y = 0; y < height; y++) {
    let p = start + y * downStep;
    for (let x = 0; x < width; x++, p += acrossStep)
      numbers[o++] = p < available ? Number(voxels[p]) * slope + intercept : later(p);
  }
  return { width, height, kind, numbers, complete, ...(kind === 'float32' ? { slope: 1, intercept: 0 } : scaling) };
}

function numbersFor({ voxels }: VoxelStore, whole: boolean, length: number): Pick<CutPlane, 'kind' | 'numbers'> {
  if (whole && voxels instanceof Uint16Array) return { kind: 'uint16', numbers: new Uint16Array(length) };
  const small = voxels instanceof Int16Array || voxels instanceof Int8Array || voxels instanceof Uint8Array;
  if (whole && small) return { kind: 'int16', numbers: new Int16Array(length) };
  return { kind: 'float32', numbers: new Float32Array(length) };
}
