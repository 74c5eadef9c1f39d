import { commands, l10n, window } from 'vscode';
import { UnimissError } from '../../protocol/errors.ts';
import type { RunInfo } from '../../protocol/runs/runInfo.ts';
import { resolvedConfigUri } from '../configuration/resolvedConfigs.ts';
import type { Context } from '../context.ts';
import { describeRun } from '../runs/describeRun.ts';
import { selectedRuns } from '../runs/selectedRuns.ts';

/** `unimiss.compareConfigurations`: what two runs were told, with every choice made, in the editor's own comparison of texts. */
export function compareConfigurationCommands(
  ctx: Context,
): Record<string, (given?: unknown, selected?: unknown) => Promise<void>> {
  return {
    async 'unimiss.compareConfigurations'(given, selected) {
      const runs = selectedRuns(ctx.store, given, selected);
      const [one, other] = runs.length > 1 ? twoOf(runs) : await chooseTwo(ctx, runs[0]);
      if (!one || !other) return;
      const [before, after] = one.created <= other.created ? [one, other] : [other, one];
      const title = `${before.id} ↔ ${after.id}`;
      await commands.executeCommand('vscode.diff', resolvedConfigUri(before), resolvedConfigUri(after), title);
    },
  };
}

function twoOf(runs: readonly RunInfo[]): readonly RunInfo[] {
  if (runs.length === 2) return runs;
  throw new UnimissError('run', l10n.t('{0} runs are selected', runs.length), {
    remedy: l10n.t('Select two of them: configurations are compared in pairs.'),
  });
}

/** @param known the first of the two, if it is known already */
async function chooseTwo(ctx: Context, known: RunInfo | undefined): Promise<readonly RunInfo[]> {
  await ctx.store.load();
  if (ctx.store.runs.length < 2)
    throw new UnimissError('run', l10n.t('there are fewer than two runs'), { remedy: l10n.t('Start another one.') });
  const pick = async (placeHolder: string, without?: RunInfo) => {
    const items = ctx.store.runs
      .filter(({ folder }) => folder !== without?.folder)
      .map((run) => ({ label: run.id, description: describeRun(run), run }));
    return (await window.showQuickPick(items, { title: l10n.t('Compare Configurations'), placeHolder }))?.run;
  };
  const one = known ?? (await pick(l10n.t('Which run?')));
  const other = one && (await pick(l10n.t('Compare {0} with which run?', one.id), one));
  return one && other ? [one, other] : [];
}
