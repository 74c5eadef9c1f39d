import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { homedir } from 'node:os';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { messageOf, UnimissError } from '../protocol/errors.ts';
import { mark } from './scripts.ts';
import { type SshOptions, sshCommand } from './sshCommand.ts';
import { noSsh, sshError } from './sshErrors.ts';

/** Output of a script beyond this is not kept, characters. */
const most = 64 * 1024;

export interface Outcome {
  code: number;
  /** What the script itself wrote: behind the mark, without what login scripts print. Empty if the mark never came. */
  said: string;
  errors: string;
}

/** Starts `ssh` for a script. @throws UnimissError 'daemon' if there is no `ssh` */
export async function startScript(
  host: string,
  script: string,
  options: SshOptions,
): Promise<ChildProcessWithoutNullStreams> {
  const { file, args, env } = sshCommand(host, script, options);
  const child = spawn(file, args, { env, cwd: homedir(), windowsHide: true });
  child.stdin.on('error', () => {}); // it has ended, which its exit code explains
  try {
    await once(child, 'spawn');
  } catch (cause) {
    throw noSsh(file, cause);
  }
  return child;
}

/**
 * Runs a script on a host to its end.
 * @param input what it reads; default: nothing
 * @throws UnimissError 'daemon' if `ssh` itself failed, 'interrupted' if `signal` was aborted
 */
export async function runScript(
  host: string,
  script: string,
  { input, signal, ...options }: SshOptions & { input?: Readable | undefined; signal?: AbortSignal | undefined },
): Promise<Outcome> {
  signal?.throwIfAborted();
  const child = await startScript(host, script, options);
  const abort = () => child.kill();
  signal?.addEventListener('abort', abort, { once: true });
  const closed = once(child, 'close');
  const [output, errors] = [keep(child.stdout), keep(child.stderr)];
  let unread: unknown;
  if (input) await pipeline(input, child.stdin).catch((error) => (unread = error));
  else child.stdin.end();
  const [code] = (await closed) as [number | null];
  signal?.removeEventListener('abort', abort);
  if (signal?.aborted) throw new UnimissError('interrupted', 'cancelled', { place: host });
  if (code === null || code === 255) throw sshError(host, errors.text, code);
  if (unread && code === 0) throw new UnimissError('internal', messageOf(unread), { place: host, cause: unread });
  const at = output.text.indexOf(`${mark}\n`);
  return { code, said: at < 0 ? '' : output.text.slice(at + mark.length + 1), errors: errors.text };
}

function keep(stream: Readable): { text: string } {
  const kept = { text: '' };
  stream.setEncoding('utf8').on('data', (text: string) => {
    kept.text = (kept.text + text).slice(-most);
  });
  return kept;
}
