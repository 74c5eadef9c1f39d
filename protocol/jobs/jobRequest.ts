import { z } from 'zod';
import { type RequestType, request } from '../daemon/rpc.ts';

/** What a run or a job does if its device is in use. */
export const whenBusySchema = z
  .enum(['wait', 'refuse', 'share'])
  .describe(
    'What to do if its device is in use. `wait`: wait until it is free. `refuse`: fail at once and name the users. `share`: share it.',
  );
export type WhenBusy = z.output<typeof whenBusySchema>;

/** What a request for a job contains besides its task. */
const common = {
  whenBusy: whenBusySchema.default('wait'),
  workDoneToken: z.union([z.string(), z.int()]).optional(),
};

/** The fields that the daemon needs from a request for any job; the other fields belong to the job. */
export interface JobParams {
  run: string;
  whenBusy: WhenBusy;
  workDoneToken?: string | number | undefined;
}

/** A row of the table of jobs. */
export interface JobType {
  /** Title of its progress. */
  title: string;
  request: RequestType<z.ZodType<JobParams>>;
  task: z.ZodType<{ run: string }>;
  result: z.ZodType;
  /** Fields of the task that are paths. */
  paths: readonly string[];
  /** Those of them that name a file which the job makes and nobody needs afterwards: the daemon removes it, however the job ends. */
  temporary?: readonly string[];
  /** Fields of the task that are lists of runs, beside `run`. */
  runs?: readonly string[];
  /** Whether it takes exports and folders of several runs too. */
  exports?: boolean;
}

/** The request for a job with the fields of its task. */
export function jobRequest<T extends z.ZodRawShape, R extends z.ZodType>(
  method: string,
  about: string,
  { task, result }: { task: z.ZodObject<T>; result: R },
) {
  return request(
    method,
    `${about} It runs in a separate process as soon as its device is free (\`whenBusy\`). It reports progress (\`$/progress\`), including what it waits for. It stops when cancelled (\`$/cancelRequest\`) or when the client disconnects.`,
    {
      params: z.strictObject({ ...task.shape, ...common }),
      result,
      ifLost:
        'This work, or its place in the queue, ended with the server; training runs continue. Start the work again: it keeps the images that were finished, and waits for its device anew.',
    },
  );
}
