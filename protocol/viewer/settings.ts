import { z } from 'zod';
import { colorMapNames, type conventions } from './displayNames.ts';
import { planeNames } from './geometry.ts';

const path = z.string().max(4096);
/** The image and its overlays, whose numbers go up to 255. */
const mostLayers = 256;

const layerLook = z.object({
  visible: z.boolean(),
  style: z.enum(['fill', 'outline', 'both']),
  opacity: z.number().min(0).max(1),
  hidden: z.array(z.number().int()).max(65536).readonly(),
});

/** How an image was shown when it was closed; it is shown so again. */
export const imageSettings = z.object({
  /** Of a file with several volumes the one that was shown, from 0. */
  volume: z
    .number()
    .int()
    .min(0)
    .max(2 ** 15)
    .optional(),
  place: z.tuple([z.number(), z.number(), z.number()]),
  window: z.object({ low: z.number(), high: z.number() }).optional(),
  alone: z.enum(planeNames).optional(),
  smooth: z.boolean(),
  crosshair: z.boolean(),
  linked: z.boolean(),
  colors: z.enum(colorMapNames),
  /** By the path of the overlay; '' is the image's own labels. */
  looks: z.record(path, layerLook).refine((looks) => Object.keys(looks).length <= mostLayers),
  /** Overlays that were added by hand, to be added again. */
  added: z.array(path).max(32),
  /** Paths of the reference and of the prediction that is compared with it. */
  compare: z.object({ reference: path, prediction: path }).optional(),
});
export type ImageSettings = z.infer<typeof imageSettings>;

/** Settings of the editor that the page follows. */
export interface ViewerOptions {
  readonly convention: (typeof conventions)[number];
  /** Whether a network may be asked for labels: only in a workspace that is trusted. */
  readonly predict: boolean;
  /** The user's own windows, as [level, width] by name. */
  readonly windows: Readonly<Record<string, readonly [number, number]>>;
}
