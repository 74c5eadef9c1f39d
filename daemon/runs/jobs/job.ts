import { toErrorData } from '../../../protocol/daemon/wireError.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import { type FromJob, type Job, jobSchema } from '../../../protocol/jobs/jobs.ts';

/** Reports the progress of a job. */
export type OnJobProgress = (what: string, done: number, total: number) => void;
/** Runs a job and reports its progress. */
export type DoJob = (job: Job, onProgress: OnJobProgress) => Promise<unknown>;

/**
 * The process of one job, or of several that follow each other (`unimiss job`). The daemon sends each over the channel of Node's
 * child processes. The process ends at once when the daemon dies or closes the channel, which is safe: it renames files into
 * place when they are complete.
 * @returns exit code
 * @throws UnimissError without a channel to a parent process
 */
export async function runJob(work: DoJob): Promise<0 | 1> {
  if (!process.send)
    throw new UnimissError('run', 'only the daemon can use this command', {
      remedy: '`unimiss --help` lists the other commands.',
    });
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {}); // the reader may be gone
  process.on('disconnect', () => process.exit(1));
  const next = messages();
  for (;;) {
    const job = jobSchema.parse(await next());
    try {
      const result = await work(job, (what, done, total) => void tell({ type: 'progress', what, done, total }));
      await tell({ type: 'done', result });
      if (!job.stays) return 0;
    } catch (error) {
      if (!(error instanceof UnimissError)) console.error(error);
      await tell({ type: 'failed', error: toErrorData(error) });
      return 1;
    }
  }
}

/** Receives messages from now on; the function returned resolves with the next. */
function messages(): () => Promise<unknown> {
  const arrived: unknown[] = [];
  let wake = () => {};
  process.on('message', (message) => {
    arrived.push(message);
    wake();
  });
  return async () => {
    while (arrived.length === 0)
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    return arrived.shift();
  };
}

function tell(message: FromJob): Promise<void> {
  return new Promise((resolve) => process.send!(message, undefined, undefined, () => resolve()));
}
