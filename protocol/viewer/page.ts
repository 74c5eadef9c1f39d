import { z } from 'zod';
import type { ErrorData } from '../daemon/wireError.ts';
import type { Modality } from '../modality.ts';
import { conventions } from './displayNames.ts';
import type { ImageGeometry, Place } from './geometry.ts';
import type { HeaderView } from './header.ts';
import type { LayerInfo } from './layers.ts';
import { type PlanePiece, planeRequest, type ValueRange } from './planes.ts';
import { type ImageSettings, imageSettings, type ViewerOptions } from './settings.ts';

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

/** A case of an evaluation, which is shown because of its errors. */
export interface ShownCase {
  readonly name: string;
  /** What was evaluated. */
  readonly title: string;
  /** Mean Dice; null: no class has one. */
  readonly dice: number | null;
  /** From 1, the worst. */
  readonly rank: number;
  readonly count: number;
  /** Its layers, and the place in the slice with the most errors; undefined: nothing was kept of it. */
  readonly compared:
    | { readonly reference: number; readonly prediction: number; readonly place: Place; readonly errors: number }
    | undefined;
}

/** What the network of a run sees of the image. */
export interface SeenViews {
  /** Name of the run. */
  readonly run: string;
  /** From 0. */
  readonly epoch: number;
  readonly phase: Modality;
  readonly views: readonly {
    readonly width: number;
    readonly height: number;
    /** Slices of a volume, side by side. */
    readonly slices: number;
    readonly channels: 1 | 3;
    /** 8-bit pixels, row by row. */
    readonly data: Uint8Array;
  }[];
}

/** Images of a run that are like this one. */
export interface SimilarImages {
  /** Name of the run. */
  readonly run: string;
  /** Images of the run that it was compared with. */
  readonly images: number;
  /** Most similar first. */
  readonly neighbours: readonly { readonly image: string; readonly similarity: number }[];
}

/** To the page. */
export type ViewerMessage =
  /** Again when another volume of the file is shown: what came before is of the earlier one. */
  | { readonly type: 'opened'; readonly image: OpenedImage }
  | { readonly type: 'failed'; readonly name: string; readonly error: ErrorData }
  | { readonly type: 'reading'; readonly reading: Reading }
  | { readonly type: 'range'; readonly range: ValueRange }
  /** `volume`: as the request says. */
  | { readonly type: 'plane'; readonly piece: PlanePiece; readonly volume: number | undefined }
  /** Before `opened`: how the image was shown last, if ever. */
  | { readonly type: 'settings'; readonly settings: ImageSettings | undefined }
  | { readonly type: 'options'; readonly options: ViewerOptions }
  | { readonly type: 'layer'; readonly layer: LayerInfo }
  | { readonly type: 'case'; readonly case: ShownCase }
  | { readonly type: 'seen'; readonly seen: SeenViews }
  | { readonly type: 'similar'; readonly similar: SimilarImages }
  | { readonly type: 'layerRemoved'; readonly layer: number }
  | { readonly type: 'header'; readonly header: HeaderView }
  /** The crosshair of another image that is linked, RAS mm. */
  | { readonly type: 'goTo'; readonly millimeters: readonly [number, number, number] }
  | { readonly type: 'layerFailed'; readonly name: string; readonly error: ErrorData };

/** From the page; checked, since a page is a border. */
export const viewerRequest = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  planeRequest.extend({ type: z.literal('plane'), volume: z.number().int().min(0).optional() }),
  /** Another volume of a file with several. */
  z.object({
    type: z.literal('volume'),
    volume: z
      .number()
      .int()
      .min(0)
      .max(2 ** 15),
  }),
  /** The image in 3D. */
  z.object({ type: z.literal('volume3D') }),
  /** Labels of this image by a network of the user's choice. */
  z.object({ type: z.literal('predict') }),
  /** What a network sees of this image; with the epoch, the one that was chosen before. */
  z.object({ type: z.literal('seen'), epoch: z.number().int().min(0).max(1_000_000).optional() }),
  /** Where the network whose views are shown looks in the image; its most similar images; or one of these, by its place in the list. */
  z.object({ type: z.literal('attention') }),
  z.object({ type: z.literal('similar') }),
  z.object({ type: z.literal('openSimilar'), index: z.number().int().min(0).max(99) }),
  /** To be kept for the next time that the image is opened. */
  z.object({ type: z.literal('settings'), settings: imageSettings }),
  z.object({ type: z.literal('convention'), convention: z.enum(conventions) }),
  z.object({ type: z.literal('header'), revealed: z.boolean() }),
  /** The crosshair has moved (RAS mm): images that are linked follow. */
  z.object({ type: z.literal('moved'), millimeters: z.tuple([z.number(), z.number(), z.number()]) }),
  /** The user wants to choose an overlay. */
  z.object({ type: z.literal('addOverlay') }),
  /** Files that the user dropped onto the image, to be drawn over it. */
  z.object({ type: z.literal('dropped'), uris: z.array(z.string().min(1).max(8192)).min(1).max(16) }),
  /** The next worse case of the evaluation, or (−1) the one before. */
  z.object({ type: z.literal('nextCase'), by: z.union([z.literal(1), z.literal(-1)]) }),
  z.object({ type: z.literal('removeLayer'), layer: z.number().int().min(1).max(255) }),
  /** A picture of the view, as PNG, for the user to save. */
  z.object({ type: z.literal('screenshot'), png: z.instanceof(Uint8Array).refine((png) => png.length < 2 ** 28) }),
]);
export type ViewerRequest = z.infer<typeof viewerRequest>;
