import { z } from 'zod';
import { notification, request } from '../daemon/rpc.ts';
import { errorDataSchema } from '../daemon/wireError.ts';
import { planeRequest } from '../viewer/planes.ts';

/** The viewer's images on the daemon's machine: planes are cut and compressed there, so that a line carries little. */

const path = z.string().min(1).max(4096).describe('Absolute.');
const layer = z.int().min(0).max(255);

export const imageOpen = request(
  'unimiss/images/open',
  'Begins to look at an image of this machine, which a client may read (`unimiss/files/open`). Ask `open` first. Ends with `unimiss/unsubscribe`.',
  {
    params: z.strictObject({ path }),
    result: z.object({ subscription: z.string(), image: z.string().describe('For `unimiss/images/ask`.') }),
  },
);

/** What can be asked: the tasks of images/messages.ts, without paths that the daemon chooses. */
export const imageAsked = z.discriminatedUnion('task', [
  z.strictObject({
    task: z.literal('open'),
    given: z.strictObject({
      volume: z
        .int()
        .min(0)
        .max(2 ** 15)
        .optional(),
    }),
  }),
  z.strictObject({ task: z.literal('plane'), given: planeRequest }),
  z.strictObject({ task: z.literal('range'), given: z.null() }),
  z.strictObject({ task: z.literal('findOverlays'), given: z.null() }),
  z.strictObject({ task: z.literal('ownLabels'), given: z.null() }),
  z.strictObject({ task: z.literal('header'), given: z.strictObject({ revealed: z.boolean() }) }),
  z.strictObject({
    task: z.literal('addLayer'),
    given: z.strictObject({
      path,
      added: z.boolean(),
      title: z.string().max(200).optional(),
      values: z.boolean().optional(),
    }),
  }),
  z.strictObject({
    task: z.literal('largestError'),
    given: z.strictObject({ reference: layer, prediction: layer }),
  }),
  z.strictObject({ task: z.literal('reloadLayer'), given: z.strictObject({ layer }) }),
  z.strictObject({ task: z.literal('coarseNifti'), given: z.strictObject({ layer }) }),
  z.strictObject({ task: z.literal('removeLayer'), given: z.strictObject({ layer }) }),
]);

/** What the daemon says of an image whose subscription has ended. */
export const imageGone = 'the image is not open any more';

export const imageAsk = request('unimiss/images/ask', 'Asks about an open image: for a plane, a layer, its header.', {
  params: z.strictObject({ image: z.string().max(100), asked: imageAsked }),
  result: z.object({
    answer: z.unknown().describe('As protocol/viewer says of the task.'),
    bytes: z
      .base64()
      .optional()
      .describe('Of a plane: its numbers, row by row, as raw DEFLATE. Of `coarseNifti`: the file.'),
  }),
});

export const imageReading = notification(
  'unimiss/images/reading',
  'daemon',
  'How far an image has been read, at most ten times a second.',
  z.object({
    subscription: z.string(),
    reading: z.object({ share: z.number().min(0).max(1), failed: errorDataSchema.optional() }),
  }),
);
