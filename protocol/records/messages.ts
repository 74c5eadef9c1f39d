import { z } from 'zod';
import { request } from '../daemon/rpc.ts';
import { runRef } from '../runs/runInfo.ts';
import { runRecordSchema } from './records.ts';

export const recordsRead = request(
  'unimiss/records/read',
  'Returns the records of a run as stored on disk, oldest first, in pieces. Request again with the cursor until `more` is false, and whenever the run has changed. Records that were removed (a run resumed from a checkpoint) are not returned again.',
  {
    params: z.strictObject({
      run: runRef,
      after: z
        .string()
        .max(200)
        .optional()
        .describe('Cursor of the previous answer. `end`: only records from now on. Default: from the first record.'),
    }),
    result: z.object({
      records: z.array(runRecordSchema),
      cursor: z.string(),
      more: z.boolean().describe('Whether more records are available now.'),
      leftOut: z
        .int()
        .min(0)
        .describe('Number of skipped lines in this piece: this version does not know these records.'),
    }),
  },
);
