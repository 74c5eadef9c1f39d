import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { window } from 'vscode';
import { evaluate } from '../../protocol/daemon/messages.ts';
import { UnimissError } from '../../protocol/errors.ts';
import type { RunInfo } from '../../protocol/runs/runInfo.ts';
import type { Context } from '../context.ts';
import { chooseRun } from '../runs/chooseRun.ts';
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
      if (!cases || !(await ensureEngine(ctx))) return;
      const { split } = cases;
      const result = await withProgress(ctx.daemon, `UniMiSS: evaluating ${run.id}`, (workDoneToken, cancelled) =>
        ctx.daemon.request(evaluate, { run: run.folder, ...(split && { split }), workDoneToken }, cancelled),
      );
      await ctx.reportPanels.show(result.report, titleOf(run));
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
      const evaluations = await evaluationsOf(run);
      const [only] = evaluations;
      if (!only)
        throw new UnimissError('run', 'has no evaluation yet', { place: run.id, remedy: 'Evaluate it first.' });
      const picked =
        evaluations.length === 1
          ? only
          : await window.showQuickPick(evaluations, {
              title: `Evaluations of ${run.id}`,
              placeHolder: 'Which report?',
            });
      if (picked) await ctx.reportPanels.show(picked.report, titleOf(run));
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

export interface EvaluationFile {
  /** Name of its folder: the split and the step, as `test-2000`. */
  label: string;
  description: string;
  report: string;
}

/** The evaluations in the folder of a run, newest first. */
export async function evaluationsOf({ folder }: Pick<RunInfo, 'folder'>): Promise<EvaluationFile[]> {
  const place = join(folder, 'evaluations');
  const names = await readdir(place).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new UnimissError('disk', `cannot be read: ${error.message}`, { place, cause: error });
  });
  const found = await Promise.all(
    names.map(async (name) => {
      const report = join(place, name, 'report.html');
      const written = await stat(report).catch(() => undefined); // an evaluation that was interrupted has none
      return written ? [{ name, report, time: written.mtime }] : [];
    }),
  );
  return found
    .flat()
    .sort((a, b) => b.time.getTime() - a.time.getTime())
    .map(({ name, report, time }) => ({ label: name, description: time.toLocaleString(), report }));
}
