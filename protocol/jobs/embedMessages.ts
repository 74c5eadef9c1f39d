import { z } from 'zod';
import { modalitySchema } from '../modality.ts';
import { runRef } from '../runs/runInfo.ts';
import { jobRequest } from './jobRequest.ts';

const path = z.string().min(1).max(4096);

/**
 * What an image's features are: `decoder`, the class token that pre-training compares; `encoder`, what a fine-tuning for classification
 * reads, the last stage's class token and the mean of its patches, one after the other.
 */
export const featureKinds = ['decoder', 'encoder'] as const;
export type FeatureKind = (typeof featureKinds)[number];

/** The images to embed, the weights to use, and the place for the features. Paths are absolute. */
export const embedTaskSchema = z.strictObject({
  run: runRef,
  data: path.optional().describe('Folder or file with images.'),
  manifest: path
    .optional()
    .describe('List of images (path, label), instead of `data`. Default: the images of the run.'),
  network: z.enum(['teacher', 'student']).default('teacher'),
  features: z
    .enum(featureKinds)
    .default('decoder')
    .describe(
      "`decoder`: the decoder's class token, which pre-training compares. `encoder`: what fine-tuning for classification reads, the class token of the encoder's last stage, then the mean of its patches.",
    ),
  weights: z
    .enum(['last', 'initial'])
    .default('last')
    .describe('`last`: weights of the newest good checkpoint. `initial`: weights at the start of the run.'),
  maxBroken: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe('Largest fraction of broken images. Each is reported. Default: as in the run.'),
  out: path
    .optional()
    .describe('Folder for features-2D.npy, features-2D.csv and so on. Default: no files are written.'),
});
export type EmbedTask = z.output<typeof embedTaskSchema>;

const brokenSchema = z.array(z.object({ id: z.string(), reason: z.string() }));

const neighboursSchema = z.object({
  k: z.int().min(1),
  accuracy: z.number().min(0).max(1).describe('Fraction of images with the correct class.'),
  interval: z.tuple([z.number(), z.number()]).describe('95 % interval of the accuracy (Wilson).'),
  chance: z.number().min(0).max(1).describe('Accuracy of always predicting the most frequent class.'),
});

const linearSchema = z.object({
  perClass: z.int().min(1).describe('Labels of each class that the classifier is trained with; the others are tested.'),
  accuracy: z
    .number()
    .min(0)
    .max(1)
    .describe('Fraction of images with the correct class, mean over 50 draws of labels.'),
  interval: z.tuple([z.number(), z.number()]).describe('95 % interval of the accuracy (bootstrap over images).'),
  chance: z.number().min(0).max(1).describe('Accuracy of always predicting the most frequent class.'),
});

export const embedResultSchema = z.object({
  phases: z.array(
    z.object({
      phase: modalitySchema,
      images: z.int().min(0),
      length: z.int().min(1).describe('Numbers per image.'),
      file: z.string().nullable().describe('Absolute path of the NPY file.'),
      neighbours: neighboursSchema
        .nullable()
        .describe(
          'Leave-one-out k-NN classification, if all images have a label: how well the features separate the classes.',
        ),
      linear: linearSchema
        .nullable()
        .describe(
          'Linear probe with few labels (ridge classifier), if all images have a label and each class has four.',
        ),
    }),
  ),
  broken: brokenSchema.describe('Unreadable images, with the reason.'),
  notices: z.array(z.string()),
});
export type EmbedResult = z.output<typeof embedResultSchema>;

export const embed = jobRequest('unimiss/embed', 'Computes features of images with the network of a run.', {
  task: embedTaskSchema,
  result: embedResultSchema,
});
