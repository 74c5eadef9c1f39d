import { z } from 'zod';
import { planeNames } from './geometry.ts';

/** A plane that the page wants. */
export const planeRequest = z.object({
  plane: z.enum(planeNames),
  /** Along the plane's `through` axis, from 0. */
  index: z
    .number()
    .int()
    .min(0)
    .max(2 ** 15),
  /** While the file is still being read: the nearest plane that is there, rather than this one without its voxels. */
  nearest: z.boolean().optional(),
  /** Which image: 0, or without it, the one that is open; others are overlays. */
  layer: z.number().int().min(0).max(255).optional(),
});
export type PlaneRequest = z.infer<typeof planeRequest>;

/** How the numbers of a plane are stored in its bytes, in this machine's byte order; `rgb`: three bytes for each pixel. */
export type PieceKind = 'int16' | 'uint16' | 'float32' | 'rgb';

/** A plane of an image as it travels: numbers, compressed. */
export interface PlanePiece extends Omit<PlaneRequest, 'nearest' | 'layer'> {
  readonly layer: number;
  readonly width: number;
  readonly height: number;
  readonly kind: PieceKind;
  /** value = slope · number + intercept. */
  readonly slope: number;
  readonly intercept: number;
  /** False: the file is still being read, and some voxels of the plane are not there yet (they are 0). */
  readonly complete: boolean;
  /** Raw DEFLATE of the numbers, row by row, as the planes of the image's geometry run. */
  readonly deflated: Uint8Array;
}

/** How values are made visible at first: of a CT in HU, or between two percentiles. */
export interface ValueRange {
  readonly low: number;
  readonly high: number;
  /** The values look like Hounsfield units. */
  readonly ct: boolean;
}
