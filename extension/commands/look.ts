import { ConfigurationTarget, l10n, window, workspace } from 'vscode';
import type { Context } from '../context.ts';
import { openFolder } from '../openFolder.ts';
import { chooseRun } from '../runs/chooseRun.ts';
import type { GroupBy } from '../runs/tree/elements.ts';

const anyRun = { fits: () => true, none: l10n.t('No runs yet. "UniMiSS: Start Pre-training" starts one.') };

/** Commands that show something about a run. */
export function lookCommands(ctx: Context): Record<string, (given?: unknown) => Promise<void>> {
  return {
    async 'unimiss.openMetrics'(given) {
      const run = await chooseRun(ctx, given, { title: l10n.t('Open Metrics'), ...anyRun });
      if (run) ctx.panels.show([run.folder]);
    },
    async 'unimiss.openRunFolder'(given) {
      const run = await chooseRun(ctx, given, { title: l10n.t('Open Run Folder'), ...anyRun });
      if (!run) return;
      await openFolder(run.folder);
    },
    async 'unimiss.showLog'(given) {
      if (given === undefined) {
        const daemon = { label: l10n.t('Extension and background server'), run: undefined };
        const runs = ctx.store.runs.map((run) => ({ label: run.id, description: run.state, run }));
        const picked = await window.showQuickPick([...runs, daemon], {
          title: l10n.t('Show Log'),
          placeHolder: l10n.t('Which log?'),
        });
        if (!picked) return;
        if (!picked.run) return ctx.output.show();
        return ctx.logs.show(picked.run);
      }
      const run = await chooseRun(ctx, given, { title: l10n.t('Show Log'), ...anyRun });
      if (run) await ctx.logs.show(run);
    },
    'unimiss.groupByState': () => groupBy('state'),
    'unimiss.groupByOrigin': () => groupBy('origin'),
  };
}

async function groupBy(value: GroupBy): Promise<void> {
  await workspace.getConfiguration('unimiss').update('runs.groupBy', value, ConfigurationTarget.Global);
}
