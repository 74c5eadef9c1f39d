import { execFile } from 'node:child_process';
import { doctor, doctorText, findPlugins } from '../../engine/install/index.ts';
import type { TrainerCommand } from '../../runs/supervise/command.ts';

/** How long plugins may take to say what they are, ms: each is loaded, and opens its devices. */
const TIME_LIMIT = 60_000;

/**
 * What a bug report needs, with what each plugin of PJRT says of itself. To ask a plugin is to load it, which may end the process; so
 * another process does that, and what it wrote until then counts.
 * @param command prints the same report; undefined: plugins are not asked
 */
export async function installationText(
  command: TrainerCommand | undefined,
  { signal, timeLimit = TIME_LIMIT }: { signal?: AbortSignal; timeLimit?: number } = {},
): Promise<string> {
  if (!command || (await findPlugins()).size === 0) return doctorText(await doctor());
  const { text, problem } = await outputOf(command, { signal, timeLimit });
  if (problem === undefined) return text;
  const report = text === '' ? doctorText(await doctor()) : text;
  return `${report}\nplugins      did not all answer: ${problem}`;
}

/** What a process writes to its standard output, and how it failed. */
function outputOf(
  { file, args, env }: TrainerCommand,
  { signal, timeLimit }: { signal?: AbortSignal | undefined; timeLimit: number },
): Promise<{ text: string; problem?: string }> {
  const limits = { timeout: timeLimit, killSignal: 'SIGKILL', maxBuffer: 1 << 20, signal } as const;
  return new Promise((resolve) => {
    execFile(file, args, { ...limits, env: { ...process.env, ...env }, encoding: 'utf8' }, (error, stdout, stderr) => {
      const text = stdout.trimEnd();
      if (!error) return resolve({ text });
      const last = stderr.trim().split('\n').at(-1) ?? '';
      const how = error.signal ?? (error.code !== undefined ? `exit code ${error.code}` : error.message);
      const ended = error.killed ? `no end within ${timeLimit / 1000} s` : `the process ended with ${how}`;
      resolve({ text, problem: last === '' ? ended : `${ended} (${last})` });
    });
  });
}
