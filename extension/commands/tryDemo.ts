import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { commands, type Disposable, ProgressLocation, Uri, window } from 'vscode';
import { UnimissError } from '../../protocol/errors.ts';
import { daemonEnvironment } from '../client/languageClient.ts';
import type { Context } from '../context.ts';
import { ensureEngine } from './engine.ts';

/** Name that the demo gives its run. */
const demoName = 'demo';
/** Characters of the demo's output that are kept for an error. */
const keptLength = 2000;

/** `unimiss.tryMadeUpImages`: `unimiss demo` without a shell. `unimiss.openWalkthrough` shows where to begin. */
export function tryCommands(ctx: Context): Record<string, () => Promise<void>> {
  return {
    async 'unimiss.tryMadeUpImages'() {
      if (!(await ensureEngine(ctx, 'cpu'))) return;
      const summary = await window.withProgress(
        { location: ProgressLocation.Notification, title: 'UniMiSS on made-up images', cancellable: true },
        (progress, cancelled) =>
          demo(ctx, (message) => progress.report({ message }), cancelled.onCancellationRequested),
      );
      if (summary !== undefined) await ctx.reports.show('UniMiSS on Made-up Images', summary);
    },
    async 'unimiss.openWalkthrough'() {
      await commands.executeCommand('workbench.action.openWalkthrough', `${ctx.extension.extension.id}#unimiss.start`);
    },
  };
}

/** Runs the demo and opens the panel of its run. @returns its summary; undefined where the user cancelled it */
async function demo(
  ctx: Context,
  report: (message: string) => void,
  onCancel: (listener: () => void) => Disposable,
): Promise<string | undefined> {
  const program = Uri.joinPath(ctx.extension.extensionUri, 'dist', 'daemon', 'main.js').fsPath;
  const child = spawn(process.execPath, [program, 'demo'], {
    env: daemonEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let cancelled = false;
  const listening = [
    onCancel(() => {
      cancelled = true;
      child.kill('SIGINT'); // stops the run with a checkpoint, as Ctrl-C does
    }),
    showItsRun(ctx),
  ];
  try {
    let summary = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      summary += text;
    });
    createInterface({ input: child.stderr }).on('line', (line) => {
      errors = `${errors}${line}\n`.slice(-keptLength);
      report(line);
    });
    const code = await ended(child);
    if (code === 0) return summary.trim();
    if (cancelled) return undefined;
    throw new UnimissError('internal', `the demo ended with exit code ${code}`, {
      place: errors.trim().split('\n').at(-1) || 'unimiss demo',
      remedy: 'Run "UniMiSS: Check Installation" to see what UniMiSS finds on this machine.',
    });
  } finally {
    for (const one of listening) one.dispose();
  }
}

/** Opens the panel of the demo's run as soon as the daemon lists it. */
function showItsRun({ store, panels }: Context): Disposable {
  const before = new Set(store.runs.map(({ folder }) => folder));
  const listening = store.onDidChange(() => {
    const run = store.runs.find(({ name, folder }) => name === demoName && !before.has(folder));
    if (!run) return;
    listening.dispose();
    panels.show([run.folder]);
  });
  return listening;
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code));
  });
}
