import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { FrameGuard } from '../protocol/daemon/frameGuard.ts';
import { UnimissError } from '../protocol/errors.ts';
import { printable } from '../protocol/printable.ts';
import { BehindMark } from './behindMark.ts';
import type { Payload } from './payload.ts';
import { type PrepareOptions, prepareMachine } from './prepare.ts';
import { startScript } from './runScript.ts';
import { connectScript, exits } from './scripts.ts';
import { sshError } from './sshErrors.ts';

/** How many characters of the standard error of `ssh` are kept. */
const lastWordsLength = 2000;
/** Largest message of a daemon, bytes: a plane of a huge image has some tens of MiB. A machine must not fill the memory here. */
const largestAnswer = 2 ** 28;

/** An open line to the daemon of a machine. Nothing listens on a TCP port: it is the standard streams of `ssh`. */
export interface Line {
  /** Messages of the daemon; ends when the line drops. */
  reader: Readable;
  writer: Writable;
  /** The process of `ssh`. */
  pid: number;
  /** Ends the process, and resolves with its last output on standard error. */
  end(): Promise<string>;
}

/**
 * Connects to the daemon of this version on a host. If the machine does not have it yet, copies it there first.
 * @throws UnimissError: `Unreachable` if a later attempt may succeed
 */
export async function connectMachine(host: string, payload: Payload, options: PrepareOptions): Promise<Line> {
  const first = await openLine(host, payload, options);
  if (typeof first !== 'number') return first;
  await prepareMachine(host, payload, options);
  const second = await openLine(host, payload, options);
  if (typeof second !== 'number') return second;
  throw new UnimissError('daemon', 'the daemon was copied, but is not there', {
    place: host,
    remedy: 'Is your home there the same in every session? Set XDG_DATA_HOME to a folder that stays.',
  });
}

/** @returns the line; or the exit code of the script if the daemon, or its Node, is not there */
async function openLine(host: string, { version }: Payload, options: PrepareOptions): Promise<Line | number> {
  const { signal } = options;
  signal?.throwIfAborted();
  const child = await startScript(host, connectScript(version), options);
  const line = new OpenLine(child);
  const abort = () => child.kill();
  signal?.addEventListener('abort', abort, { once: true });
  const code = await line.ready;
  signal?.removeEventListener('abort', abort);
  if (code === 'ready') return line;
  if (signal?.aborted) throw new UnimissError('interrupted', 'cancelled', { place: host });
  if (code === exits.noDaemon || code === exits.noNode) return code;
  if (code === null || code === 255) throw sshError(host, await line.end(), code);
  throw new UnimissError('daemon', `its login ended with code ${code} before the daemon was reached`, {
    place: host,
    remedy: `It said:\n  ${printable(await line.end()).slice(-500)}`,
  });
}

class OpenLine implements Line {
  readonly reader = new PassThrough();
  readonly writer = new PassThrough();
  readonly pid: number;
  /** `ready` once the daemon's messages follow; the exit code if the process ended before. */
  readonly ready: Promise<'ready' | number | null>;
  private words = '';

  constructor(private readonly child: ChildProcessWithoutNullStreams) {
    this.pid = child.pid ?? 0;
    child.stderr.on('data', (data) => {
      this.words = (this.words + String(data)).slice(-lastWordsLength);
    });
    // A stream that accepts all writes: a failed write makes vscode-jsonrpc throw where no code can catch it. The end of the reader
    // shows that the process has ended.
    this.writer.pipe(child.stdin);
    const behind = new BehindMark();
    this.ready = Promise.race([
      once(behind, 'mark').then(() => 'ready' as const),
      once(child, 'close').then(([code]) => code as number | null),
      once(behind, 'error').then(() => null),
    ]);
    this.ready.catch(() => {});
    behind.on('error', () => child.kill());
    const guard = new FrameGuard(largestAnswer);
    guard.on('error', (error) => {
      this.words = `${error.message}\n${this.words}`;
      child.kill();
      this.reader.end();
    });
    child.stdout.pipe(behind).pipe(guard).pipe(this.reader);
  }

  async end(): Promise<string> {
    const { child } = this;
    if (child.exitCode === null && child.signalCode === null) {
      const closed = once(child, 'close');
      child.kill();
      await closed;
    }
    return this.words.trim();
  }
}
