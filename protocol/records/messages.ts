import { z } from 'zod';
import { request } from '../daemon/rpc.ts';
import { runRef } from '../runs/runInfo.ts';
import { runRecordSchema } from './records.ts';

export const recordsRead = request(
  'unimiss/records/read',
  'The records of a run as they are on the disk, oldest first, a piece at a time: ask again with the cursor until `more` is false, and whenever the run has changed. Records that were taken back (a run resumed from a checkpoint) are not told again.',
  {
    params: z.strictObject({
      run: runRef,
      after: z
        .string()
        .max(200)
        .optional()
        .describe('Cursor of the answer before. `end`: only what is recorded from now on. Default: from the first.'),
    }),
    result: z.object({
      records: z.array(runRecordSchema),
      cursor: z.string(),
      more: z.boolean().describe('Whether there are more already.'),
      leftOut: z.int().min(0).describe('Lines of this piece that are no records that this version knows.'),
    }),
  },
);
