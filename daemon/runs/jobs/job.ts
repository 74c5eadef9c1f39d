import { toErrorData } from '../../../protocol/daemon/wireError.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import { type FromJob, type Job, jobSchema } from '../../../protocol/jobs/jobs.ts';

/** Does a job; tells how far it is. */
export type DoJob = (job: Job, onProgress: (what: string, done: number, total: number) => void) => Promise<unknown>;

/**
 * The process that does one job for the daemon (`unimiss job`), which says which over the channel of node's child processes. It
 * ends at once when the daemon is gone: what it writes is renamed into place when it is whole.
 * @returns exit code
 * @throws UnimissError where nobody listens
 */
export async function runJob(work: DoJob): Promise<0 | 1> {
  if (!process.send)
    throw new UnimissError('run', 'only the daemon can use this command', {
      remedy: '`unimiss --help` lists the other commands.',
    });
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {}); // whoever reads may be gone
  process.on('disconnect', () => process.exit(1));
  const job = await new Promise<Job>((resolve, reject) => {
    process.once('message', (message) => {
      const checked = jobSchema.safeParse(message);
      if (checked.success) resolve(checked.data);
      else reject(checked.error);
    });
  });
  try {
    const result = await work(job, (what, done, total) => void tell({ type: 'progress', what, done, total }));
    await tell({ type: 'done', result });
    return 0;
  } catch (error) {
    if (!(error instanceof UnimissError)) console.error(error);
    await tell({ type: 'failed', error: toErrorData(error) });
    return 1;
  }
}

function tell(message: FromJob): Promise<void> {
  return new Promise((resolve) => process.send!(message, undefined, undefined, () => resolve()));
}
