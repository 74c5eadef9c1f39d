import * as z from 'zod';

const path = z.string().min(1).max(4096);

/** Label maps of one case that can be compared: of all classes, or of one where classes overlap. */
export const comparedLabels = z.object({
  /** null: all classes are in one map. */
  class: z.string().nullable(),
  /** Absolute paths. */
  reference: path,
  prediction: path,
});

/** A case that the viewer can show with reference and prediction. */
export const viewableCase = z.object({
  case: z.string().min(1).max(4096),
  /** Mean Dice of its classes; null: none has one. */
  dice: z.number().nullable(),
  /** Absolute path of the image, of its first channel. */
  image: path,
  labels: z.array(comparedLabels).max(1024),
});
export type ViewableCase = z.infer<typeof viewableCase>;

/** `viewer.json` of an evaluation's folder: where its cases lie. It is no part of the report, which can be given to others. */
export const viewableCases = z.object({ format: z.literal(1), cases: z.array(viewableCase).max(100_000) });
export type ViewableCases = z.infer<typeof viewableCases>;
export const viewableCasesFile = 'viewer.json';
