import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { ErrorData } from '../../../protocol/daemon/wireError.ts';
import { messageOf, UnimissError } from '../../../protocol/errors.ts';
import type { RunEnding } from '../../../protocol/runs/runInfo.ts';
import { type FromWorker, fromWorkerSchema, type ToWorker } from '../../../protocol/runs/trainerMessages.ts';
import { errorOf } from './errors.ts';

/** How the process that trains a run is started: `file` with `args`, then the run's folder. */
export interface TrainerCommand {
  file: string;
  args: string[];
  env?: NodeJS.ProcessEnv;
}

/** How much of what a trainer writes to standard error is kept, bytes. */
const LAST_WORDS = 16 << 10;

/** The daemon's side of one process that trains a run. */
export class TrainerProcess {
  /** Resolves, never rejects, when the process is gone and all that it said was heard. */
  readonly ended: Promise<RunEnding>;
  private readonly child: ChildProcess;
  private lastWords: Buffer[] = [];
  private readonly waiting: ToWorker[] = [];
  private readonly pings = new Map<number, () => void>();
  private pingId = 0;
  private ready = false;
  private killed = false;
  private spawnError: Error | undefined;
  private outcome: Extract<FromWorker, { type: 'ended' | 'failed' }> | undefined;

  constructor(
    folder: string,
    command: TrainerCommand,
    private readonly onMessage: (message: FromWorker) => void,
  ) {
    this.child = spawn(command.file, [...command.args, folder], {
      cwd: folder,
      env: command.env ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [this.child.stdout!, this.child.stderr!]) stream.on('data', (data: Buffer) => this.keep(data));
    this.child.on('message', (raw) => this.hear(raw));
    this.child.on('error', (error) => {
      this.spawnError = error;
    });
    this.ended = this.watch();
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Says something to the trainer, once it listens. A trainer that is gone hears nothing: `ended` tells that. */
  send(message: ToWorker): void {
    if (!this.ready) this.waiting.push(message);
    else if (this.child.connected) this.child.send(message, () => {});
  }

  /** Ends the process at once. */
  kill(): void {
    this.killed = true;
    this.child.kill('SIGKILL');
  }

  /** How long the trainer takes to answer, ms. Rejects when it ends before. */
  async ping(): Promise<number> {
    const id = ++this.pingId;
    const begin = performance.now();
    const answered = new Promise<true>((resolve) => this.pings.set(id, () => resolve(true)));
    this.send({ type: 'ping', id });
    const heard = await Promise.race([answered, this.ended.then(() => false)]);
    this.pings.delete(id);
    if (heard) return performance.now() - begin;
    throw new UnimissError('run', 'the trainer ended before it answered');
  }

  private hear(raw: unknown): void {
    const checked = fromWorkerSchema.safeParse(raw);
    if (!checked.success) {
      this.keep(Buffer.from(`(a message that is not as declared: ${messageOf(checked.error)})\n`));
      return;
    }
    const message = checked.data;
    if (message.type === 'ready') {
      this.ready = true;
      for (const first of this.waiting.splice(0)) this.send(first);
    } else if (message.type === 'pong') this.pings.get(message.id)?.();
    else if (message.type === 'ended' || message.type === 'failed') this.outcome = message;
    this.onMessage(message);
  }

  private keep(data: Buffer): void {
    this.lastWords = [Buffer.concat([...this.lastWords, data]).subarray(-LAST_WORDS)];
  }

  private async watch(): Promise<RunEnding> {
    const [exitCode, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
      this.child.once('close', (...how) => resolve(how));
      // A process that could not be started has no pid, and closes nothing.
      once(this.child, 'error').then(
        () => this.child.pid === undefined && resolve([null, null]),
        () => {},
      );
    });
    const words = Buffer.concat(this.lastWords).toString('utf8').trim();
    return {
      ...this.how(exitCode, signal),
      signal,
      exitCode,
      lastWords: words,
      time: new Date().toISOString(),
    };
  }

  private how(
    exitCode: number | null,
    signal: string | null,
  ): Pick<RunEnding, 'how' | 'message'> & { error?: ErrorData } {
    if (this.outcome?.type === 'failed')
      return { how: 'failed', message: errorOf(this.outcome.error), error: this.outcome.error };
    if (this.outcome?.type === 'ended') {
      const { outcome } = this.outcome;
      return { how: outcome, message: outcome === 'finished' ? 'Finished.' : 'Stopped, with a checkpoint.' };
    }
    if (this.killed)
      return { how: 'killed', message: 'Killed on request; it goes on from its last checkpoint when it is resumed.' };
    return { how: 'died', message: deathNotice(exitCode, signal, this.spawnError) };
  }
}

const goesOn = 'It goes on from its last checkpoint when it is resumed.';
const causes: Record<string, string> = {
  SIGKILL:
    'nobody here sent that: most often the system does when memory runs out. Use a smaller train.batch if it happens again',
  SIGSEGV: 'a crash in native code: report it with `unimiss engine doctor`',
  SIGABRT: 'a crash in native code: report it with `unimiss engine doctor`',
  SIGBUS: 'a file that was mapped became shorter, or the disk is full',
  SIGILL: 'this processor lacks an instruction that TensorFlow was built with',
};

/** One sentence about a trainer that ended without a word. */
function deathNotice(exitCode: number | null, signal: string | null, spawnError: Error | undefined): string {
  if (spawnError) return `The trainer could not be started: ${spawnError.message}.`;
  if (signal === null) return `The trainer ended with exit code ${exitCode} and without a word. ${goesOn}`;
  const cause = causes[signal];
  return `The trainer was ended by ${signal}${cause ? ` (${cause})` : ''}. ${goesOn}`;
}
