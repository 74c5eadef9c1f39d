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
    .describe(
      'Changes when records that were seen are taken back (a run resumed from a checkpoint): then a snapshot comes.',
    ),
  records: z.int().min(0).describe('Records read, from the first of the run.'),
});
export type Position = z.infer<typeof positionSchema>;

const positions = z.record(z.string(), positionSchema);

/** Rows of a run at most (about), down-sampled: each row is the mean and the extremes of several steps of a phase. */
const most = z.int().min(50).max(20_000).default(2000);

export const metricsSubscribe = request(
  'unimiss/metrics/subscribe',
  'The curves of runs, and what is added to them, as `unimiss/metrics/update`: a snapshot first, or, where `after` says what was seen before a connection was lost, only what was missed.',
  {
    params: z.strictObject({
      runs: z.array(runRef).min(1).max(32),
      most,
      previews: z.int().min(0).max(50).default(4).describe('Newest previews in a snapshot, per run.'),
      after: z
        .strictObject({ sequence: z.int().min(0), positions })
        .optional()
        .describe(
          'Of the last update that was seen. What was missed is sent as far as it still can be told, else a snapshot.',
        ),
    }),
    result: z.object({ subscription: z.string() }),
  },
);

export const metricsUpdate = notification(
  'unimiss/metrics/update',
  'daemon',
  'A message for the metrics component, to be handed on as it is. One is under way at a time: a slow client gets fewer and larger ones, or a new snapshot.',
  z.object({
    subscription: z.string(),
    message: metricsMessage,
    positions: positions.describe(
      'Where the subscriber then is, by run as it was named in `runs` (that is its id in the message too); to be kept for `after`.',
    ),
  }),
);

export const metricsRead = request(
  'unimiss/metrics/read',
  'A range of steps at a resolution, as a snapshot of this run without previews: what a panel asks for when it is zoomed.',
  {
    params: z.strictObject({
      run: runRef,
      fromStep: z.int().min(0).default(0),
      toStep: z.int().min(0).optional().describe('Inclusive; default: the last.'),
      most,
    }),
    result: z.object({ message: metricsMessage, position: positionSchema }),
  },
);

const previewName = z.string().min(1).max(200).describe('Name of a file in the previews folder of the run.');

export const previewsList = request(
  'unimiss/previews/list',
  'What the network was shown: views that were saved, oldest first.',
  {
    params: z.strictObject({ run: runRef }),
    result: z.object({
      previews: z.array(
        z.object({
          step: z.int().min(0),
          epoch: z.int().min(0),
          phase: modalitySchema,
          images: z.array(z.array(previewName)).describe('Per image its views.'),
        }),
      ),
    }),
  },
);

export const previewsRead = request('unimiss/previews/read', 'Preview pictures.', {
  params: z.strictObject({ run: runRef, names: z.array(previewName).min(1).max(64) }),
  result: z.object({
    images: z.array(
      z.object({
        name: previewName,
        data: z
          .string()
          .nullable()
          .describe('PNG as a data URI; null: it is gone, or the answer would be too large (8 MiB): ask for fewer.'),
      }),
    ),
  }),
});
