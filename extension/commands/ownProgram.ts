import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type Disposable, type Event, l10n, Uri } from 'vscode';
import { UnimissError } from '../../protocol/errors.ts';
import { daemonEnvironment } from '../client/languageClient.ts';
import type { Context } from '../context.ts';
import { toldError } from './toldError.ts';

/** Exit code of a command whose run was stopped. */
const interrupted = 130;

/** Characters of a command's output that are kept for an error. */
const keptLength = 2000;

/**
 * Runs a command of `unimiss` without a shell. When the user cancels it, it stops as with Ctrl-C: its run saves a checkpoint.
 * @param report told each line of progress
 * @returns what it printed; undefined where the user cancelled it, or its run was stopped elsewhere
 * @throws UnimissError with the error that it told, else 'internal' with its last words
 */
export async function ownProgram(
  ctx: Context,
  args: readonly string[],
  { report, onCancel }: { report: (message: string) => void; onCancel: Event<unknown> },
): Promise<string | undefined> {
  const program = Uri.joinPath(ctx.extension.extensionUri, 'dist', 'daemon', 'main.js').fsPath;
  const child = spawn(process.execPath, [program, ...args], {
    env: daemonEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let cancelled = false;
  const listening: Disposable = onCancel(() => {
    cancelled = true;
    child.kill('SIGINT');
  });
  try {
    let printed = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
    createInterface({ input: child.stderr }).on('line', (line) => {
      errors = `${errors}${line}\n`.slice(-keptLength);
      report(line);
    });
    const code = await ended(child);
    if (cancelled || code === interrupted) return undefined;
    if (code === 0) return printed.trim();
    throw (
      toldError(errors) ??
      new UnimissError('internal', l10n.t('the command ended with exit code {0}', String(code)), {
        place: errors.trim().split('\n').at(-1) || `unimiss ${args[0] ?? ''}`,
        remedy: l10n.t('Run "UniMiSS: Check Installation" to see what UniMiSS finds on this machine.'),
      })
    );
  } finally {
    listening.dispose();
  }
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code));
  });
}
