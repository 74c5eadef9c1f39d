import { z } from 'zod';
import { modalitySchema } from '../modality.ts';
import { runRef } from '../runs/runInfo.ts';
import { jobRequest } from './jobRequest.ts';

const path = z.string().min(1).max(4096);
const network = z.enum(['teacher', 'student']).default('teacher');

/** Looking at one image with the network of a pre-training run. Paths are absolute. */
export const attendTaskSchema = z.strictObject({
  run: runRef,
  image: path.describe('An image, or the folder of a DICOM series.'),
  out: path.describe('Folder in which the map is written.'),
  network,
});
export type AttendTask = z.output<typeof attendTaskSchema>;

export const attendResultSchema = z.object({
  file: z
    .string()
    .describe(
      'Absolute path of the map: where the class token of the last stage looks, mean over heads. A volume has a NIfTI file of 0 to 1, one value for each patch; a picture has a PNG of its size, 0 to 255.',
    ),
  phase: modalitySchema,
  grid: z.array(z.int().min(1)).describe('Patches of a view along its axes.'),
  notices: z.array(z.string()),
});
export type AttendResult = z.output<typeof attendResultSchema>;

export const attend = jobRequest(
  'unimiss/attend',
  'Shows where the network of a pre-training run looks in an image: the attention of its class token.',
  { task: attendTaskSchema, result: attendResultSchema },
);

export const neighboursTaskSchema = z.strictObject({
  run: runRef,
  image: path.describe('An image, or the folder of a DICOM series.'),
  count: z.int().min(1).max(100).default(5),
  network,
});
export type NeighboursTask = z.output<typeof neighboursTaskSchema>;

export const neighboursResultSchema = z.object({
  phase: modalitySchema,
  neighbours: z
    .array(
      z.object({
        image: z.string().describe('Absolute path.'),
        similarity: z.number().min(-1.001).max(1.001).describe('Cosine of the angle between the features.'),
      }),
    )
    .describe('Most similar first; the image itself is none.'),
  images: z.int().min(0).describe('Images of the run that it was compared with.'),
  notices: z.array(z.string()),
});
export type NeighboursResult = z.output<typeof neighboursResultSchema>;

export const neighbours = jobRequest(
  'unimiss/neighbours',
  'Finds the images of a pre-training run whose features are most like those of an image.',
  { task: neighboursTaskSchema, result: neighboursResultSchema },
);
