import * as z from 'zod';

/** A plane of an image with reference and prediction, ready to be drawn. Rows come first; row 0 is at the top. */
export const labelledPlane = z.object({
  title: z.string(),
  /** A sentence: for people who see the picture, and for those who do not. */
  description: z.string(),
  width: z.number().int().min(1),
  height: z.number().int().min(1),
  /** Height of a pixel divided by its width. */
  aspect: z.number().positive(),
  /** Base64 of width · height bytes, black to white. */
  grey: z.string(),
  /** Class of each pixel (0: none, 65535: not known) as runs: value, length, value, length, … */
  reference: z.array(z.number().int()),
  prediction: z.array(z.number().int()),
});
export type LabelledPlane = z.infer<typeof labelledPlane>;
