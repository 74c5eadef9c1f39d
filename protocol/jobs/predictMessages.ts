import { z } from 'zod';
import { volumeNumber } from '../config/shared.ts';
import { runRef } from '../runs/runInfo.ts';
import { jobRequest } from './jobRequest.ts';

const path = z.string().min(1).max(4096);

/** The images to predict and the place for the results. Paths are absolute. */
export const predictTaskSchema = z.strictObject({
  run: runRef.describe(
    'Name or absolute path of a fine-tuning run, or absolute path of an export, or of a folder that holds several: then their scores are averaged.',
  ),
  folds: z
    .array(runRef)
    .max(100)
    .default([])
    .describe('Further runs or exports with the same plan, such as the other folds: their scores are averaged.'),
  input: path.describe(
    'An image, a folder with images, the folder of a DICOM series, or a table (CSV, TSV) with the columns `path` and, if known, `patient`.',
  ),
  out: path.describe('Folder for the results.'),
  checkpoint: z
    .enum(['best', 'last'])
    .default('best')
    .describe('`best`: the checkpoint with the best validation. `last`: the newest good one.'),
  overlap: z
    .number()
    .min(0)
    .max(0.9)
    .default(0.5)
    .describe('Segmentation: fraction of a window that it shares with the next one.'),
  volume: volumeNumber.describe(
    'Number of the volume to take from files with several (4-D), from 0. null: such files fail.',
  ),
  mirror: z
    .boolean()
    .default(false)
    .describe('Segmentation: also predict mirrored windows and average. Takes 8 times as long in 3D, 4 times in 2D.'),
  keepMinutes: z
    .number()
    .min(0)
    .max(24 * 60)
    .default(5)
    .describe(
      'For how long the daemon keeps the network loaded, so that the next images start at once. It is released earlier if a run or another job wants the device. 0: not at all.',
    ),
  force: z
    .boolean()
    .default(false)
    .describe('Also predict images that differ too much from those of the training. Without it they fail.'),
  preview: z
    .boolean()
    .default(false)
    .describe('Segmentation: also write a picture of three planes with the labels in colours, `NAME.preview.png`.'),
  probabilities: z
    .boolean()
    .default(false)
    .describe(
      'Segmentation: also write the probability of each class at each voxel, `NAME.CLASS.probability.nii.gz`. Takes longer, and much space on the disk.',
    ),
  growing: path
    .nullable()
    .default(null)
    .describe(
      'Segmentation of one volume: a NIfTI file in which the labels appear slice by slice during the prediction, to look at. It must not exist yet; the daemon removes it at the end.',
    ),
  statistics: z.boolean().default(false).describe('Segmentation: also write volume and mean value of each class.'),
});
export type PredictTask = z.output<typeof predictTaskSchema>;

export const classStatisticsSchema = z.object({
  class: z.string(),
  voxels: z.int().min(0),
  milliliters: z.number().nullable().describe('null: the spacing is unknown, or the image is a picture.'),
  mean: z.number().nullable().describe('Mean value in the image: HU in CT. null: no voxel has the class.'),
  touchesBorder: z
    .boolean()
    .describe('Whether the class reaches the border of the image, so that a part may be missing.'),
});
export type ClassStatistics = z.output<typeof classStatisticsSchema>;

export const predictedSchema = z.object({
  image: z.string().describe('Absolute path of the image, of its first channel if it has several files.'),
  patient: z.string().optional().describe('Classification: the patient, if a table or a DICOM file names one.'),
  files: z
    .array(z.string())
    .describe('Absolute paths of the written files: label maps, then the preview and the probabilities.'),
  probabilities: z.record(z.string(), z.number()).optional().describe('Classification: the probability of each class.'),
  statistics: z.array(classStatisticsSchema).optional(),
  notices: z.array(z.string()),
  seconds: z.number().min(0),
});
export type Predicted = z.output<typeof predictedSchema>;

export const predictResultSchema = z.object({
  step: z.int().min(0).describe('Training step of the checkpoint.'),
  loadSeconds: z.number().min(0).describe('Time until the network was ready: next to none if it was loaded already.'),
  predicted: z.array(predictedSchema),
  skipped: z
    .int()
    .min(0)
    .describe('Images that already have results in the folder, from the same checkpoint and settings.'),
  failed: z.array(
    z.object({
      image: z.string(),
      reason: z.string().describe('What is wrong with it; it names only other files.'),
      unlike: z
        .boolean()
        .default(false)
        .describe('It differs too much from the images of the training; `force` predicts it anyway.'),
    }),
  ),
  table: z.string().nullable().describe('Absolute path of predictions.csv (classification) or statistics.csv.'),
  notices: z.array(z.string()),
});
export type PredictResult = z.output<typeof predictResultSchema>;

export const predict = jobRequest(
  'unimiss/predict',
  'Predicts labels of new images with the network of a fine-tuning run, of an export, or with several.',
  {
    task: predictTaskSchema,
    result: predictResultSchema,
  },
);
