import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { homedir } from 'node:os';
import { messageOf, UnimissError } from '../protocol/errors.ts';
import { BehindMark } from './behindMark.ts';
import type { Payload } from './payload.ts';
import { type PrepareOptions, prepareMachine } from './prepare.ts';
import { commandScript, exits } from './scripts.ts';
import { sshCommand } from './sshCommand.ts';
import { noSsh, sshError } from './sshErrors.ts';

/** A command of `unimiss` for another machine, with the small files of this one that it names. */
export interface FarCommand {
  args: readonly string[];
  /** Texts of configurations, by the argument that names them. */
  files: Readonly<Record<string, string>>;
}

/** Longest command that `ssh` and the shell there accept in one argument, characters. */
const longest = 100_000;

/**
 * Runs a command of `unimiss` on a host, with the daemon of this version, which is copied there if needed. Standard streams are those of
 * this process; in a terminal, the command has one there too, so that Ctrl-C reaches it.
 * @returns its exit code
 * @throws UnimissError if the machine cannot be reached, or prepared
 */
export async function runCommand(
  host: string,
  command: FarCommand,
  payload: Payload,
  options: PrepareOptions & { terminal: boolean },
): Promise<number> {
  const first = await tryOnce(host, command, payload, options);
  if (first !== exits.noDaemon && first !== exits.noNode) return first;
  await prepareMachine(host, payload, options);
  return tryOnce(host, command, payload, options);
}

async function tryOnce(
  host: string,
  command: FarCommand,
  { version }: Payload,
  { terminal, ...options }: PrepareOptions & { terminal: boolean },
): Promise<number> {
  const script = commandScript(version, encodeCommand(command), terminal);
  const { file, args, env } = sshCommand(host, script, { ...options, terminal });
  const child = spawn(file, args, {
    env,
    cwd: homedir(),
    stdio: ['inherit', terminal ? 'inherit' : 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  // What login scripts print is no result.
  const behind = new BehindMark();
  let noise: unknown;
  behind.on('error', (error) => {
    noise = error;
    child.kill();
  });
  child.stdout?.pipe(behind).pipe(process.stdout, { end: false });
  const [code] = (await closed.catch((cause) => {
    throw noSsh(file, cause);
  })) as [number | null];
  if (noise !== undefined)
    throw new UnimissError('daemon', messageOf(noise), {
      place: host,
      remedy: 'Let them print only in a terminal: for example `[ -t 1 ] || return` at their beginning.',
      cause: noise,
    });
  // `ssh` has said why.
  if (code === null || code === 255) throw sshError(host, '', code);
  return code;
}

/** One word for any shell. @throws UnimissError 'config' if it is too long */
export function encodeCommand(command: FarCommand): string {
  const text = Buffer.from(JSON.stringify(command)).toString('base64url');
  if (text.length > longest)
    throw new UnimissError('config', 'the configurations of this command are too large to travel together', {
      place: Object.keys(command.files).join(', '),
      remedy: 'Copy them to the machine, and name them by their paths there.',
    });
  return text;
}
