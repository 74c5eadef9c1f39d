import { type ChildProcess, spawn } from 'node:child_process';
import { fromErrorData } from '../../../protocol/daemon/wireError.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import { type FromJob, fromJobSchema, type Job } from '../../../protocol/jobs/jobs.ts';
import type { TrainerCommand } from '../supervise/command.ts';

/** How much of the process's standard error is kept, characters. */
const LAST_WORDS = 4000;

type Progress = (what: string, done: number, total: number) => void;
type LastMessage = Exclude<FromJob, { type: 'progress' }>;

/**
 * Runs a job in a separate process, and ends the process at once when `signal` is aborted.
 * @returns the result that the process reported
 * @throws UnimissError that the process reported; 'interrupted' if aborted; 'run' if the process died
 */
export async function jobInProcess(
  command: TrainerCommand,
  job: Job,
  signal: AbortSignal,
  onProgress: Progress,
): Promise<unknown> {
  signal.throwIfAborted();
  return new JobProcess(command).run(job, signal, onProgress);
}

/** A process that does a job, and further ones as long as each of them lets it stay (`stays`). */
export class JobProcess {
  private readonly child: ChildProcess;
  private words = '';
  private exited = false;
  /** Resolves with how the process ended. */
  readonly ended: Promise<string>;

  constructor({ file, args, env = process.env }: TrainerCommand) {
    this.child = spawn(file, args, { env, cwd: '/', stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    for (const stream of [this.child.stdout!, this.child.stderr!])
      stream.on('data', (data) => {
        this.words = `${this.words}${data}`.slice(-LAST_WORDS);
      });
    this.ended = new Promise((resolve) => {
      const end = (how: string) => {
        this.exited = true;
        resolve(how);
      };
      this.child.once('error', (error) => end(`could not be started: ${error.message}`));
      this.child.once('close', (code, signal) =>
        end(signal === null ? `exited with code ${code}` : `was killed by ${signal}`),
      );
    });
  }

  /** Whether it can do another job. */
  get alive(): boolean {
    return !this.exited && this.child.connected;
  }

  end(): void {
    this.child.kill('SIGKILL');
  }

  /** Does a job. If the job does not let it stay, it has ended when this resolves. Throws as `jobInProcess`. */
  async run(job: Job, signal: AbortSignal, onProgress: Progress): Promise<unknown> {
    const abort = () => this.end();
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    try {
      const last = await this.answer(job, onProgress);
      if (last.type === 'failed') throw fromErrorData(last.error);
      return last.result;
    } catch (error) {
      throw signal.aborted ? new UnimissError('interrupted', 'cancelled', { place: job.name, cause: error }) : error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  private async answer(job: Job, onProgress: Progress): Promise<LastMessage> {
    let said: LastMessage | undefined;
    let tellDone = () => {};
    const done = new Promise<void>((resolve) => {
      tellDone = resolve;
    });
    const hear = (raw: unknown) => {
      const checked = fromJobSchema.safeParse(raw);
      if (!checked.success) this.words += `(invalid message: ${checked.error.message})\n`;
      else if (checked.data.type === 'progress') onProgress(checked.data.what, checked.data.done, checked.data.total);
      else said = checked.data;
      if (said?.type === 'done' && job.stays) tellDone();
    };
    this.child.on('message', hear);
    this.child.send(job, () => {}); // if the process has ended, `ended` reports that
    try {
      const how = await Promise.race([this.ended, done]);
      if (said) return said;
      const last = this.words.trim() && `\n  Its last output:\n  ${this.words.trim().replaceAll('\n', '\n  ')}`;
      throw new UnimissError('run', `the process ${how}${last}`, { place: job.name });
    } finally {
      this.child.off('message', hear);
    }
  }
}
