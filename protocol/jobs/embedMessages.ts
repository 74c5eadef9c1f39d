import { z } from 'zod';
import { modalitySchema } from '../modality.ts';
import { runRef } from '../runs/runInfo.ts';
import { jobRequest } from './jobRequest.ts';

const path = z.string().min(1).max(4096);

/** What is to be embedded, with what, and where the features go. Paths are absolute. */
export const embedTaskSchema = z.strictObject({
  run: runRef,
  data: path.optional().describe('Folder or file with images.'),
  manifest: path
    .optional()
    .describe('A list of images (path, label) in place of `data`. Default: the images of the run.'),
  network: z.enum(['teacher', 'student']).default('teacher'),
  weights: z
    .enum(['last', 'initial'])
    .default('last')
    .describe('`last`: the newest good checkpoint; `initial`: what the run starts with.'),
  maxBroken: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe('Share of the images that may be broken (each is named); default: that of the run.'),
  out: path.optional().describe('Folder for features-2D.npy, features-2D.csv and so on; default: none is written.'),
});
export type EmbedTask = z.output<typeof embedTaskSchema>;

const brokenSchema = z.array(z.object({ id: z.string(), reason: z.string() }));

const neighboursSchema = z.object({
  k: z.int().min(1),
  accuracy: z.number().min(0).max(1).describe('Share of the images whose class was found.'),
  interval: z.tuple([z.number(), z.number()]).describe('95 % interval of the accuracy (Wilson).'),
  chance: z.number().min(0).max(1).describe('What always saying the most frequent class gives.'),
});

export const embedResultSchema = z.object({
  phases: z.array(
    z.object({
      phase: modalitySchema,
      images: z.int().min(0),
      length: z.int().min(1).describe('Numbers per image.'),
      file: z.string().nullable().describe('The NPY file, absolute.'),
      neighbours: neighboursSchema
        .nullable()
        .describe(
          'Leave-one-out classification by neighbours, where all images have a label: how well classes separate.',
        ),
    }),
  ),
  broken: brokenSchema.describe('Images that could not be read, and why.'),
  notices: z.array(z.string()),
});
export type EmbedResult = z.output<typeof embedResultSchema>;

export const embed = jobRequest('unimiss/embed', 'Features of images by the network of a run.', {
  task: embedTaskSchema,
  result: embedResultSchema,
});
