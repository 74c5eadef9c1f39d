import type { Volume } from '../types.ts';
import type { Affine } from './niftiGeometry.ts';
import { orient, type Walk, walkAffine } from './orientation.ts';
import { arrangeLabels, arrangeVoxels, type LabelData, type Scaling, type StoredVoxels } from './voxels.ts';

/** Names of labels by their value. */
export type LabelNames = ReadonlyMap<number, string>;

/** The grid in which a file stores its voxels: what is needed to write others that lie exactly on them. */
export interface StoredGrid {
  readonly format: 'nifti' | 'nrrd' | 'metaimage' | 'dicom';
  /** Voxels along i, j, k; i is the fastest in the file. */
  readonly size: readonly [number, number, number];
  /** Map from (i, j, k) to RAS millimetres. */
  readonly affine: Affine;
  /** Type of the stored numbers, by its NIfTI name. */
  readonly type: string;
  /** NIfTI: the header's bytes as they are (348 or 540), which hold sform, qform, codes, units and dimensions. */
  readonly niftiHeader?: Uint8Array;
  /** DICOM: the files of the series along k; a single one where it has several frames. */
  readonly dicomFiles?: readonly string[];
  /** Names of labels in the file: the Caret extension of NIfTI, the segments of DICOM SEG or of a `.seg.nrrd`. */
  readonly labelNames?: LabelNames;
}

interface Stored {
  /** Map from array indices [slice, x, y] to RAS millimetres. */
  readonly affine: Affine;
  /** False: the header has no usable spacing, and `spacing` is what it says or 1 mm. */
  readonly spacingKnown: boolean;
  /** Why the orientation is not the preferred one of the header, where it is not: a clause whose subject is the volume. */
  readonly orientationNotice?: string;
  /** Whatever else is worth knowing, such as uneven slices: clauses whose subject is the volume. */
  readonly notices: readonly string[];
  /** DICOM: files of the folder that are not part of the volume, and why: clauses whose subject is the file. */
  readonly leftOut: readonly { readonly path: string; readonly why: string }[];
  readonly grid: StoredGrid;
}

/** A volume in the axes of `arrayAxes` (orientation.ts), and where it comes from. */
export interface StoredVolume extends Stored {
  readonly volume: Volume;
}

/** Labels in the axes of `arrayAxes`, and where they come from. Never interpolated. */
export interface StoredLabels extends Stored {
  readonly shape: Volume['shape'];
  /** C order [slices, x, y]. */
  readonly data: LabelData;
  /** mm, [slice, x, y]. */
  readonly spacing: Volume['spacing'];
}

/** What a reader of a format finds. */
export interface Decoded extends Found {
  readonly voxels: StoredVoxels;
  readonly scaling: Scaling;
}

/** All but the voxels. */
export interface Found {
  readonly grid: StoredGrid;
  readonly spacingKnown: boolean;
  readonly orientationNotice?: string | undefined;
  readonly notices?: readonly string[];
  readonly leftOut?: Stored['leftOut'];
}

/** How a grid is walked through so that its voxels come out in `arrayAxes`. */
export function walkOf(grid: Pick<StoredGrid, 'affine' | 'size'>): Walk {
  return orient(grid.affine, grid.size);
}

/** The decoded voxels as a volume. Throws UnimissError('data') where one is not finite. */
export function toVolume(path: string, decoded: Decoded): StoredVolume {
  return volumeOf(decoded, arrangeVoxels(path, decoded.voxels, decoded.scaling, walkOf(decoded.grid)));
}

/** The volume of voxels that are arranged already. */
export function volumeOf(found: Found, data: Int16Array | Float32Array): StoredVolume {
  const { walk, spacing, stored } = placed(found);
  return { volume: { kind: '3D', shape: walk.shape, data, spacing }, ...stored };
}

/** The decoded voxels as labels. Throws UnimissError('data') where one is no whole number of 16 bits. */
export function toLabels(path: string, decoded: Decoded): StoredLabels {
  const { walk, spacing, stored } = placed(decoded);
  const data = arrangeLabels(path, decoded.voxels, decoded.scaling, walk);
  return { shape: walk.shape, data, spacing, ...stored };
}

function placed({ grid, spacingKnown, orientationNotice, notices = [], leftOut = [] }: Found) {
  const walk = walkOf(grid);
  const affine = walkAffine(grid.affine, grid.size, walk);
  const length = (axis: 0 | 1 | 2) => Math.hypot(affine[0][axis], affine[1][axis], affine[2][axis]);
  const spacing: Volume['spacing'] = [length(0), length(1), length(2)];
  const stored: Stored = {
    affine,
    spacingKnown,
    ...(orientationNotice !== undefined && { orientationNotice }),
    notices,
    leftOut,
    grid,
  };
  return { walk, spacing, stored };
}
