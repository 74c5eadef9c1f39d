import { z } from 'zod';
import { request } from '../daemon/rpc.ts';
import { foldersSchema } from '../runs/messages.ts';

export const configCheck = request('unimiss/config/check', 'Everything wrong with a configuration, with its place.', {
  params: z.strictObject({ text: z.string().max(1 << 20) }),
  result: z.object({
    problems: z.array(
      z.object({
        message: z.string(),
        remedy: z.string().optional(),
        field: z.string().describe('Keys that lead to the value, joined by points; empty for the file as a whole.'),
        line: z.int().min(1),
        column: z.int().min(1),
        offset: z.int().min(0).describe('UTF-16 units from 0.'),
        length: z.int().min(0),
      }),
    ),
  }),
});

export const configMake = request(
  'unimiss/config/make',
  'The text of a configuration for folders with images, with comments.',
  {
    params: foldersSchema,
    result: z.object({ text: z.string() }),
  },
);
