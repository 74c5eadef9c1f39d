import { window } from 'vscode';
import type { Context } from '../context.ts';
import { openFolder } from '../openFolder.ts';
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
      if (run) await openFolder(run.folder);
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
