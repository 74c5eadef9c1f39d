import { z } from 'zod';
import { request } from '../daemon/rpc.ts';
import { foldersSchema } from '../runs/messages.ts';

const problems = z.array(
  z.object({
    message: z.string(),
    remedy: z.string().optional(),
    replacement: z.string().optional().describe('JSON text that would be right in this place.'),
    field: z.string().describe('Path of keys to the value, joined by dots. Empty for the whole file.'),
    line: z.int().min(1),
    column: z.int().min(1),
    offset: z.int().min(0).describe('Offset in UTF-16 code units, from 0.'),
    length: z.int().min(0),
  }),
);

export const configCheck = request(
  'unimiss/config/check',
  'Returns all problems of a configuration and what is ignored in it, with their positions.',
  {
    params: z.strictObject({ text: z.string().max(1 << 20) }),
    result: z.object({
      problems,
      notices: problems.describe('Fields of earlier versions, which are ignored: the configuration can be used.'),
    }),
  },
);

export const configMake = request('unimiss/config/make', 'Returns a commented configuration for folders with images.', {
  params: foldersSchema,
  result: z.object({ text: z.string() }),
});
