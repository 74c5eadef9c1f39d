import { z } from 'zod';
import type { ErrorData } from '../daemon/wireError.ts';
import type { ImageGeometry } from './geometry.ts';
import { type PlanePiece, planeRequest, type ValueRange } from './planes.ts';

/** What is known of an image once its header has been read. */
export interface OpenedImage {
  readonly name: string;
  readonly kind: 'volume' | 'picture';
  readonly format: string;
  /** Type of the stored numbers. */
  readonly type: string;
  readonly geometry: ImageGeometry;
  /** Volumes in the file (4-D), and the number of the one that is shown, from 0. */
  readonly volumes: number;
  readonly volume: number;
  /** What is worth knowing about the file: sentences without a subject, which is the image. */
  readonly notices: readonly string[];
}

/** How far a file has been read. */
export interface Reading {
  /** Of the voxels, 0 to 1. */
  readonly share: number;
  /** Why reading stopped before the end; what was read until then can be shown. */
  readonly failed?: ErrorData | undefined;
}

/** To the page. */
export type ViewerMessage =
  | { readonly type: 'opened'; readonly image: OpenedImage }
  | { readonly type: 'failed'; readonly name: string; readonly error: ErrorData }
  | { readonly type: 'reading'; readonly reading: Reading }
  | { readonly type: 'range'; readonly range: ValueRange }
  | { readonly type: 'plane'; readonly piece: PlanePiece };

/** From the page; checked, since a page is a border. */
export const viewerRequest = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  planeRequest.extend({ type: z.literal('plane') }),
]);
export type ViewerRequest = z.infer<typeof viewerRequest>;
