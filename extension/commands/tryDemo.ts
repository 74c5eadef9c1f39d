import { commands, type Disposable, l10n, ProgressLocation, window } from 'vscode';
import type { Context } from '../context.ts';
import { demoResults } from './demoResults.ts';
import { ensureEngine } from './engine.ts';
import { ownProgram } from './ownProgram.ts';

/** Name that the demo gives its run. */
const demoName = 'demo';

/** `unimiss.tryMadeUpImages`: `unimiss demo` without a shell. `unimiss.openWalkthrough` shows where to begin. */
export function tryCommands(ctx: Context): Record<string, () => Promise<void>> {
  return {
    async 'unimiss.tryMadeUpImages'() {
      if (!(await ensureEngine(ctx, 'cpu'))) return;
      const summary = await window.withProgress(
        { location: ProgressLocation.Notification, title: l10n.t('UniMiSS on made-up images'), cancellable: true },
        (progress, cancelled) =>
          demo(ctx, {
            report: (message) => progress.report({ message }),
            onCancel: cancelled.onCancellationRequested,
          }),
      );
      if (summary !== undefined) await ctx.reports.show(l10n.t('UniMiSS on Made-up Images'), summary);
    },
    async 'unimiss.openWalkthrough'() {
      await commands.executeCommand('workbench.action.openWalkthrough', `${ctx.extension.extension.id}#unimiss.start`);
    },
  };
}

/** Runs the demo and opens the panel of its run. @returns its summary; undefined where the user cancelled it */
async function demo(ctx: Context, on: Parameters<typeof ownProgram>[2]): Promise<string | undefined> {
  const listening = showItsRun(ctx);
  try {
    const printed = await ownProgram(ctx, ['demo', '--json'], on);
    return printed === undefined ? undefined : demoResults(printed);
  } finally {
    listening.dispose();
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
