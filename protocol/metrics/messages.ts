import { z } from 'zod';
import { notification, request } from '../daemon/rpc.ts';
import { modalitySchema } from '../modality.ts';
import { runRef } from '../runs/runInfo.ts';
import { metricsMessage } from './page.ts';

/** How far a subscriber has read the records of a run. */
export const positionSchema = z.object({
  generation: z
    .string()
    .max(200)
    .describe('Changes when already sent records are removed (a run resumes from a checkpoint). A snapshot follows.'),
  records: z.int().min(0).describe('Number of records read, from the first of the run.'),
});
export type Position = z.infer<typeof positionSchema>;

const positions = z.record(z.string(), positionSchema);

/** Largest number of rows of a run (about). A down-sampled row is the mean and the extremes of several steps of a phase. */
const most = z.int().min(50).max(20_000).default(2000);

export const metricsSubscribe = request(
  'unimiss/metrics/subscribe',
  'Subscribes to the curves of runs. `unimiss/metrics/update` brings a snapshot first and then additions. With `after`, the last position received before the connection was lost, it brings only what was missed.',
  {
    params: z.strictObject({
      runs: z.array(runRef).min(1).max(32),
      most,
      previews: z.int().min(0).max(50).default(4).describe('Number of newest previews per run in a snapshot.'),
      after: z
        .strictObject({ sequence: z.int().min(0), positions })
        .optional()
        .describe(
          'Position of the last update received. The daemon sends what was missed if it still can, otherwise a snapshot.',
        ),
    }),
    result: z.object({ subscription: z.string() }),
  },
);

export const metricsUpdate = notification(
  'unimiss/metrics/update',
  'daemon',
  'A message for the metrics component; pass it on unchanged. The daemon sends one at a time: a slow client gets fewer and larger ones, or a new snapshot.',
  z.object({
    subscription: z.string(),
    message: metricsMessage,
    positions: positions.describe(
      'Position after this update, keyed by run as named in `runs` (the run id in the message). Keep it for `after`.',
    ),
  }),
);

export const metricsRead = request(
  'unimiss/metrics/read',
  'Returns a range of steps at a resolution, as a snapshot of this run without previews. A panel requests it on zoom.',
  {
    params: z.strictObject({
      run: runRef,
      fromStep: z.int().min(0).default(0),
      toStep: z.int().min(0).optional().describe('Inclusive. Default: the last.'),
      most,
    }),
    result: z.object({ message: metricsMessage, position: positionSchema }),
  },
);

const previewName = z.string().min(1).max(200).describe('File name in the previews folder of the run.');

export const previewsList = request(
  'unimiss/previews/list',
  'Lists the saved views that the network saw, oldest first.',
  {
    params: z.strictObject({ run: runRef }),
    result: z.object({
      previews: z.array(
        z.object({
          step: z.int().min(0),
          epoch: z.int().min(0),
          phase: z.nullable(modalitySchema).describe('null: the run has no groups.'),
          images: z.array(z.array(previewName)).describe('Views of each image.'),
          names: z.array(z.string().nullable()).optional().describe('Names of the images, as the records have them.'),
        }),
      ),
    }),
  },
);

export const previewsRead = request('unimiss/previews/read', 'Returns preview pictures.', {
  params: z.strictObject({ run: runRef, names: z.array(previewName).min(1).max(64) }),
  result: z.object({
    images: z.array(
      z.object({
        name: previewName,
        data: z
          .string()
          .nullable()
          .describe('PNG as a data URI. null: the file is gone, or the answer would exceed 8 MiB; request fewer.'),
      }),
    ),
  }),
});
