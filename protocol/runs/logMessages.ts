import { z } from 'zod';
import { notification, request } from '../daemon/rpc.ts';
import { runRef } from './runInfo.ts';

const lines = z.int().min(0).max(10_000).default(200).describe('The last lines.');
const offset = z.int().min(0).describe('Offset in log.txt after these lines, in bytes.');

export const logRead = request('unimiss/log/read', 'Returns the end of the log of a run, at most 1 MiB.', {
  params: z.strictObject({ run: runRef, lines }),
  result: z.object({ text: z.string(), offset }),
});

export const logFollow = request(
  'unimiss/log/follow',
  'Subscribes to the log of a run, from `after` on (default: its last lines). `unimiss/log/appended` brings new lines.',
  {
    params: z.strictObject({ run: runRef, lines, after: offset.optional() }),
    result: z.object({ subscription: z.string() }),
  },
);

export const logAppended = notification(
  'unimiss/log/appended',
  'daemon',
  'New lines of a log, sent one notification at a time, at most 64 KiB each.',
  z.object({ subscription: z.string(), text: z.string(), offset }),
);
