import { commands, env, UIKind, Uri, window, workspace } from 'vscode';
import type { RunInfo } from '../../protocol/runs/runInfo.ts';
import type { Context } from '../context.ts';
import { chooseRun } from '../runs/chooseRun.ts';

const anyRun = { fits: () => true, none: 'No runs yet. "UniMiSS: Start Pre-training" starts one.' };

/** Commands that show something about a run. */
export function lookCommands(ctx: Context): Record<string, (given?: unknown, selected?: unknown) => Promise<void>> {
  return {
    async 'unimiss.openMetrics'(given, selected) {
      const several = Array.isArray(selected) && selected.length > 1 ? (selected as { folder: string }[]) : undefined;
      if (several) return ctx.panels.show(several.map((one) => one.folder));
      const run = await chooseRun(ctx, given, { title: 'Open Metrics', ...anyRun });
      if (run) ctx.panels.show([run.folder]);
    },
    async 'unimiss.compareRuns'() {
      await ctx.store.load();
      const items = ctx.store.runs.map((run) => ({ label: run.id, description: run.state, run }));
      const picked = await window.showQuickPick(items, {
        title: 'Compare Runs',
        placeHolder: 'Choose runs to overlay their curves',
        canPickMany: true,
      });
      if (picked && picked.length > 0) ctx.panels.show(picked.map(({ run }) => run.folder));
    },
    async 'unimiss.openRunFolder'(given) {
      const run = await chooseRun(ctx, given, { title: 'Open Run Folder', ...anyRun });
      if (run) await openFolder(run);
    },
    async 'unimiss.showLog'(given) {
      if (given === undefined) {
        const daemon = { label: 'Extension and daemon', run: undefined };
        const runs = ctx.store.runs.map((run) => ({ label: run.id, description: run.state, run }));
        const picked = await window.showQuickPick([...runs, daemon], { title: 'Show Log', placeHolder: 'Which log?' });
        if (!picked) return;
        if (!picked.run) return ctx.output.show();
        return ctx.logs.show(picked.run);
      }
      const run = await chooseRun(ctx, given, { title: 'Show Log', ...anyRun });
      if (run) await ctx.logs.show(run);
    },
  };
}

/**
 * Shows a folder in the explorer if it is part of the workspace, else in the system's file manager. If there is none (the
 * extension runs on another machine), opens the folder in a new window.
 */
async function openFolder(run: RunInfo): Promise<void> {
  const folder = Uri.file(run.folder);
  if (workspace.getWorkspaceFolder(folder)) await commands.executeCommand('revealInExplorer', folder);
  else if (env.remoteName === undefined && env.uiKind === UIKind.Desktop)
    await commands.executeCommand('revealFileInOS', folder);
  else await commands.executeCommand('vscode.openFolder', folder, { forceNewWindow: true });
}
