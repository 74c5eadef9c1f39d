import { l10n, window } from 'vscode';
import { evaluate, runDetails } from '../../protocol/daemon/messages.ts';
import { UnimissError } from '../../protocol/errors.ts';
import type { RunInfo } from '../../protocol/runs/runInfo.ts';
import { dateText } from '../../protocol/words.ts';
import type { Context } from '../context.ts';
import { addressThere, where } from '../machines/there.ts';
import { notify } from '../notify.ts';
import { chooseRun } from '../runs/chooseRun.ts';
import { deviceOf } from '../runs/device.ts';
import { isFinetuning } from '../runs/kinds.ts';
import { withProgress } from '../withProgress.ts';
import { ensureEngine } from './engine.ts';

const finetuned = {
  fits: isFinetuning,
  none: l10n.t('No fine-tuning run yet. "UniMiSS: Start Fine-tuning" starts one.'),
};

/** Commands that measure a fine-tuned network and show the report. */
export function evaluateCommands(ctx: Context): Record<string, (given?: unknown) => Promise<void>> {
  return {
    async 'unimiss.evaluate'(given) {
      const run = await chooseRun(ctx, given, { title: l10n.t('Evaluate'), ...finetuned });
      const cases =
        run &&
        (await window.showQuickPick(splits, {
          title: l10n.t('Evaluate {0}', run.id),
          placeHolder: l10n.t('On which cases?'),
        }));
      if (!cases) return;
      const there = where(ctx, run);
      if (!(await ensureEngine(there, deviceOf(run)))) return;
      const { split } = cases;
      const result = await withProgress(
        there.daemon,
        l10n.t('UniMiSS: evaluating {0}', run.id),
        (workDoneToken, cancelled) =>
          there.daemon.request(evaluate, { run: run.folder, ...(split && { split }), workDoneToken }, cancelled),
      );
      ctx.view.refresh(run.folder);
      await ctx.reportPanels.show(addressThere(there, result.report), titleOf(run));
      for (const notice of result.notices) ctx.output.info(`Evaluation of ${run.id}: ${notice}`);
      const [first] = result.excluded;
      if (first)
        void notify(
          'warning',
          result.excluded.length === 1
            ? l10n.t('1 case was not evaluated: {0} The report names it.', first.reason)
            : l10n.t(
                '{0} cases were not evaluated; the first: {1} The report lists all.',
                result.excluded.length,
                first.reason,
              ),
        );
    },
    async 'unimiss.openEvaluation'(given) {
      const run = await chooseRun(ctx, given, { title: l10n.t('Open Evaluation Report'), ...finetuned });
      if (!run) return;
      const { evaluations } = await ctx.daemon.request(runDetails, { run: run.folder });
      const [only] = evaluations;
      if (!only)
        throw new UnimissError('run', l10n.t('has no evaluation yet'), {
          place: run.id,
          remedy: l10n.t('Evaluate it first.'),
        });
      // A row of the view names the report that it stands for.
      const asked = evaluations.find(({ report }) => report === reportIn(given));
      const items = evaluations.map(({ name, time, report }) => ({
        ...{ label: name, description: dateText(time), report },
      }));
      const title = l10n.t('Evaluations of {0}', run.id);
      const picked =
        asked ??
        (evaluations.length === 1
          ? only
          : await window.showQuickPick(items, { title, placeHolder: l10n.t('Which report?') }));
      if (picked) await ctx.reportPanels.show(addressThere(where(ctx, run), picked.report), titleOf(run));
    },
  };
}

const splits: { label: string; detail?: string; split?: 'test' | 'validation' }[] = [
  { label: l10n.t('Test cases'), detail: l10n.t('Validation cases if the data set has no test cases') },
  {
    label: l10n.t('Validation cases'),
    detail: l10n.t('The cases by which the best checkpoint was chosen'),
    split: 'validation',
  },
];

function titleOf({ name }: RunInfo): string {
  return l10n.t('Evaluation of {0}', name);
}

function reportIn(given: unknown): unknown {
  return typeof given === 'object' && given !== null && 'report' in given ? given.report : undefined;
}
