import { window } from 'vscode';
import { evaluate, runDetails } from '../../protocol/daemon/messages.ts';
import { UnimissError } from '../../protocol/errors.ts';
import type { RunInfo } from '../../protocol/runs/runInfo.ts';
import { dateText } from '../../protocol/words.ts';
import type { Context } from '../context.ts';
import { fileHere, isHere } from '../machines/runFiles.ts';
import { chooseRun } from '../runs/chooseRun.ts';
import { deviceOf } from '../runs/device.ts';
import { isFinetuning } from '../runs/kinds.ts';
import { withProgress } from '../withProgress.ts';
import { ensureEngine } from './engine.ts';

const finetuned = { fits: isFinetuning, none: 'No fine-tuning run yet. "UniMiSS: Start Fine-tuning" starts one.' };

/** Commands that measure a fine-tuned network and show the report. */
export function evaluateCommands(ctx: Context): Record<string, (given?: unknown) => Promise<void>> {
  return {
    async 'unimiss.evaluate'(given) {
      const run = await chooseRun(ctx, given, { title: 'Evaluate', ...finetuned });
      const cases =
        run && (await window.showQuickPick(splits, { title: `Evaluate ${run.id}`, placeHolder: 'On which cases?' }));
      if (!cases || (isHere(run) && !(await ensureEngine(ctx, deviceOf(run))))) return;
      const { split } = cases;
      const result = await withProgress(ctx.daemon, `UniMiSS: evaluating ${run.id}`, (workDoneToken, cancelled) =>
        ctx.daemon.request(evaluate, { run: run.folder, ...(split && { split }), workDoneToken }, cancelled),
      );
      ctx.view.refresh(run.folder);
      await ctx.reportPanels.show(await fileHere(ctx, run, result.report), titleOf(run));
      for (const notice of result.notices) ctx.output.info(`Evaluation of ${run.id}: ${notice}`);
      const [first] = result.excluded;
      if (first)
        void window.showWarningMessage(
          `${result.excluded.length === 1 ? '1 case was' : `${result.excluded.length} cases were`} not evaluated: ${first.reason} The report lists all.`,
        );
    },
    async 'unimiss.openEvaluation'(given) {
      const run = await chooseRun(ctx, given, { title: 'Open Evaluation Report', ...finetuned });
      if (!run) return;
      const { evaluations } = await ctx.daemon.request(runDetails, { run: run.folder });
      const [only] = evaluations;
      if (!only)
        throw new UnimissError('run', 'has no evaluation yet', { place: run.id, remedy: 'Evaluate it first.' });
      // A row of the view names the report that it stands for.
      const asked = evaluations.find(({ report }) => report === reportIn(given));
      const items = evaluations.map(({ name, time, report }) => ({
        ...{ label: name, description: dateText(time), report },
      }));
      const title = `Evaluations of ${run.id}`;
      const picked =
        asked ??
        (evaluations.length === 1 ? only : await window.showQuickPick(items, { title, placeHolder: 'Which report?' }));
      if (picked) await ctx.reportPanels.show(await fileHere(ctx, run, picked.report), titleOf(run));
    },
  };
}

const splits: { label: string; detail?: string; split?: 'test' | 'validation' }[] = [
  { label: 'Test cases', detail: 'Validation cases if the data set has no test cases' },
  { label: 'Validation cases', detail: 'The cases by which the best checkpoint was chosen', split: 'validation' },
];

function titleOf({ name }: RunInfo): string {
  return `Evaluation of ${name}`;
}

function reportIn(given: unknown): unknown {
  return typeof given === 'object' && given !== null && 'report' in given ? given.report : undefined;
}
