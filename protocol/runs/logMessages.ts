import { z } from 'zod';
import { notification, request } from '../daemon/rpc.ts';
import { runRef } from './runInfo.ts';

const lines = z.int().min(0).max(10_000).default(200).describe('Last lines.');
const offset = z.int().min(0).describe('Bytes of log.txt up to here.');

export const logRead = request('unimiss/log/read', 'The end of the log of a run, at most 1 MiB.', {
  params: z.strictObject({ run: runRef, lines }),
  result: z.object({ text: z.string(), offset }),
});

export const logFollow = request(
  'unimiss/log/follow',
  'The log of a run from `after` on (default: its last lines), and what is added to it, as `unimiss/log/appended`.',
  {
    params: z.strictObject({ run: runRef, lines, after: offset.optional() }),
    result: z.object({ subscription: z.string() }),
  },
);

export const logAppended = notification(
  'unimiss/log/appended',
  'daemon',
  'Further lines of a log. One is under way at a time; each holds 64 KiB at most.',
  z.object({ subscription: z.string(), text: z.string(), offset }),
);
