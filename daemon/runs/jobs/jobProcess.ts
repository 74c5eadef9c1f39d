import { type ChildProcess, spawn } from 'node:child_process';
import { fromErrorData } from '../../../protocol/daemon/wireError.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import { type FromJob, fromJobSchema, type Job } from '../../../protocol/jobs/jobs.ts';
import type { TrainerCommand } from '../supervise/command.ts';

/** How much of the process's standard error is kept, characters. */
const LAST_WORDS = 4000;

/**
 * Runs a job in a separate process, and ends the process at once when `signal` is aborted.
 * @returns the result that the process reported
 * @throws UnimissError that the process reported; 'interrupted' if aborted; 'run' if the process died
 */
export async function jobInProcess(
  { file, args, env = process.env }: TrainerCommand,
  job: Job,
  signal: AbortSignal,
  onProgress: (what: string, done: number, total: number) => void,
): Promise<unknown> {
  signal.throwIfAborted();
  const child = spawn(file, args, { env, cwd: '/', stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  const abort = () => child.kill('SIGKILL');
  signal.addEventListener('abort', abort, { once: true });
  try {
    const last = await untilEnded(child, job, onProgress);
    if (last.type === 'failed') throw fromErrorData(last.error);
    return last.result;
  } catch (error) {
    throw signal.aborted ? new UnimissError('interrupted', 'cancelled', { place: job.name, cause: error }) : error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** The last message of the process. Resolves when it has ended. */
function untilEnded(
  child: ChildProcess,
  job: Job,
  onProgress: (what: string, done: number, total: number) => void,
): Promise<Exclude<FromJob, { type: 'progress' }>> {
  return new Promise((resolve, reject) => {
    let said: Exclude<FromJob, { type: 'progress' }> | undefined;
    let words = '';
    for (const stream of [child.stdout!, child.stderr!])
      stream.on('data', (data) => {
        words = `${words}${data}`.slice(-LAST_WORDS);
      });
    child.on('message', (raw) => {
      const checked = fromJobSchema.safeParse(raw);
      if (!checked.success) words += `(invalid message: ${checked.error.message})\n`;
      else if (checked.data.type === 'progress') onProgress(checked.data.what, checked.data.done, checked.data.total);
      else said = checked.data;
    });
    const died = (how: string) => {
      const last = words.trim() && `\n  Its last output:\n  ${words.trim().replaceAll('\n', '\n  ')}`;
      return new UnimissError('run', `the process ${how}${last}`, { place: job.name });
    };
    child.once('error', (error) => reject(died(`could not be started: ${error.message}`)));
    child.once('close', (code, signal) => {
      if (said) resolve(said);
      else reject(died(signal === null ? `exited with code ${code}` : `was killed by ${signal}`));
    });
    child.send(job, () => {}); // if the process has ended, `close` reports that
  });
}
