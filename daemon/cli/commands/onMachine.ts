import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Command, Option } from 'commander';
import { z } from 'zod';
import { checkHost } from '../../../machines/host.ts';
import { readPayload } from '../../../machines/payload.ts';
import { type FarCommand, runCommand } from '../../../machines/runCommand.ts';
import { version } from '../../../package.json';
import { UnimissError } from '../../../protocol/errors.ts';
import { Reporter } from '../terminal/reporter.ts';
import { travelled } from '../viaDaemon/travelled.ts';

/** `--machine`, of the program itself. */
export function machineOption(): Option {
  return new Option(
    '--machine <host>',
    'run the command on a host of your SSH configuration; its paths are paths there',
  );
}

/** Largest configuration that travels, bytes. */
const largest = 50_000;
/** Files that travel: those that commands read and people write. */
const small = /\.jsonc?$/i;

/**
 * If `--machine` is given, runs the command there instead, and ends this process with its exit code. Configurations that it names travel
 * with it; images do not.
 */
export function goThere(program: Command): void {
  program.hook('preSubcommand', async () => {
    const { machine, json } = program.opts<{ machine?: string; json?: boolean }>();
    if (machine === undefined) return;
    const reporter = new Reporter({ json: json === true });
    const payload = await readPayload(dirname(realpathSync(process.argv[1] ?? '')), version);
    const code = await runCommand(checkHost(machine), commandOf(process.argv.slice(2)), payload, {
      asking: 'terminal',
      terminal: process.stdin.isTTY === true && process.stdout.isTTY === true,
      onProgress: (message) => reporter.progress(message),
    });
    process.exit(code);
  });
}

/** The command without `--machine`, and the small files of this machine that it names. */
export function commandOf(args: readonly string[]): FarCommand {
  const own: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? '';
    // Before the name of the command stand options of the program only.
    const before = own.every((one) => one.startsWith('-'));
    if (before && arg === '--machine') i++;
    else if (!before || !arg.startsWith('--machine=')) own.push(arg);
  }
  const files = own.filter((arg) => small.test(arg) && existsSync(arg) && statSync(arg).isFile());
  return { args: own, files: Object.fromEntries(files.map((file) => [file, textOf(file)])) };
}

function textOf(file: string): string {
  const { size } = statSync(file);
  if (size > largest)
    throw new UnimissError('config', `is too large to travel (${size} bytes; at most ${largest})`, {
      place: file,
      remedy: 'Copy it to the machine, and name it by its path there.',
    });
  return readFileSync(file, 'utf8');
}

const far = z.object({ args: z.array(z.string()), files: z.record(z.string(), z.string()) });

/** The arguments that `unimiss there` stands for: it is the other end of `--machine`. undefined: another command */
export function argumentsThere([name, encoded = '']: readonly string[]): readonly string[] | undefined {
  if (name !== 'there') return undefined;
  const { args, files } = far.parse(JSON.parse(Buffer.from(encoded, 'base64url').toString('utf8')));
  for (const [file, text] of Object.entries(files)) travelled.set(file, text);
  return args;
}
