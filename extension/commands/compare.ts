import { l10n, QuickPickItemKind, window } from 'vscode';
import { UnimissError } from '../../protocol/errors.ts';
import type { RunInfo } from '../../protocol/runs/runInfo.ts';
import type { Context } from '../context.ts';
import { describeRun } from '../runs/describeRun.ts';
import { selectedRuns } from '../runs/selectedRuns.ts';
import { kindText } from '../runs/tree/runRows.ts';

/** Commands that overlay the curves of several runs of the same kind. */
export function compareCommands(ctx: Context): Record<string, (given?: unknown, selected?: unknown) => Promise<void>> {
  const compare = (runs: readonly RunInfo[]) => {
    checkComparable(runs);
    ctx.panels.show(runs.map(({ folder }) => folder));
  };
  return {
    async 'unimiss.compareRuns'() {
      await ctx.store.load();
      const kinds = new Set(ctx.store.runs.map(({ task }) => task));
      const items = [...kinds].flatMap((task) => [
        { label: kindText({ task }), kind: QuickPickItemKind.Separator, run: undefined },
        ...ctx.store.runs
          .filter((run) => run.task === task)
          .map((run) => ({ label: run.id, description: describeRun(run), run })),
      ]);
      const picked = await window.showQuickPick(items, {
        title: l10n.t('Compare Runs'),
        placeHolder: l10n.t('Choose runs of the same kind to overlay their curves'),
        canPickMany: true,
      });
      const runs = (picked ?? []).flatMap(({ run }) => (run ? [run] : []));
      if (picked) compare(runs);
    },
    async 'unimiss.compareSelected'(given, selected) {
      compare(selectedRuns(ctx.store, given, selected));
    },
  };
}

/** @throws UnimissError 'run' if the runs are of different kinds, or there is nothing to compare */
export function checkComparable(runs: readonly Pick<RunInfo, 'task' | 'id'>[]): void {
  const kinds = new Map(runs.map((run) => [run.task, run.id]));
  if (kinds.size > 1) {
    const examples = [...kinds].map(([task, id]) => l10n.t('{0} is a {1} run', id, kindText({ task })));
    throw new UnimissError(
      'run',
      l10n.t('runs of different kinds record different numbers: {0}', examples.join(', ')),
      {
        remedy: l10n.t('Compare runs of the same kind.'),
      },
    );
  }
  if (runs.length < 2)
    throw new UnimissError('run', l10n.t('fewer than two runs are selected'), {
      remedy: l10n.t('Select several runs in the view Runs with Ctrl or Shift.'),
    });
}
