import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunComparison } from '../../../../protocol/evaluation/common.ts';
import type { Evaluation } from '../../../../protocol/evaluation/evaluation.ts';
import { type ViewableCases, viewableCasesFile } from '../../../../protocol/evaluation/viewableCases.ts';
import type { EvaluateResult, EvaluateTask } from '../../../../protocol/jobs/evaluateMessages.ts';
import { compareEvaluations } from '../../../evaluate/metrics/compareEvaluations.ts';
import { evaluationFiles, writeEvaluation } from '../../../evaluate/metrics/writeEvaluation.ts';
import { writeEvaluationReport } from '../../../evaluate/report/evaluation/evaluationReport.ts';
import { inPlainWords } from '../../../evaluate/report/evaluation/words.ts';
import { chosenBy, writeTextAtomically } from '../../../files/atomic.ts';
import type { RunFolder } from '../../folder/runFolder.ts';
import type { OnJobProgress } from '../job.ts';
import { type MeasuredRun, measureRun } from './measureRun.ts';
import { type OtherRun, otherRun } from './otherRun.ts';

/**
 * Measures a run's network on a split of its data set, beside that of another run on the cases that both have (by default its twin).
 * Writes numbers, tables and a report into a folder.
 * @throws UnimissError 'run', 'checkpoint', 'data' where no case is left, 'disk'
 */
export async function evaluateRun(
  run: RunFolder,
  task: EvaluateTask,
  onProgress: OnJobProgress,
): Promise<EvaluateResult> {
  const notices: string[] = [];
  const notice = (message: string) => void notices.push(message);
  const other = await otherRun(run, task.against, notice);
  const measured = await measureRun(run, task, { notice, onProgress });
  const { split, step, cases, planes } = measured;
  const comparison =
    other && (await compared(measured, other, { ...task, split }, { engineOf: run, notice, onProgress }));
  const evaluation: Evaluation = { ...measured.evaluation, ...(comparison && { comparison }) };
  const folder = task.out ?? join(run.folder, 'evaluations', `${split}-${step}`);
  const { viewable: shown = [] } = measured;
  const listed: ViewableCases = { format: 1, cases: [...shown] };
  const report = join(folder, evaluationFiles.report);
  const configuration = await readFile(run.configFile, 'utf8');
  try {
    await writeEvaluation(folder, evaluation);
    if (shown.length > 0) await writeTextAtomically(join(folder, viewableCasesFile), `${JSON.stringify(listed)}\n`);
    await writeEvaluationReport(report, { evaluation, planes, configuration });
  } catch (error) {
    throw chosenBy(error, '--out');
  }
  const words = inPlainWords(evaluation);
  const against = comparison?.with ?? null;
  return { folder, report, split, cases, words, against, excluded: evaluation.exclusions, notices };
}

async function compared(
  { evaluation }: MeasuredRun,
  { run, twin }: OtherRun,
  task: EvaluateTask,
  on: Parameters<typeof measureRun>[2],
): Promise<RunComparison> {
  const other = await measureRun(run, task, {
    ...on,
    notice: (message) => on.notice(`${run.id}: ${message}`),
    onProgress: (what, done, total) => on.onProgress(`${run.id}: ${what}`, done, total),
  });
  for (const { case: id, reason } of other.evaluation.exclusions) on.notice(`${run.id}: excluded ${id}: ${reason}`);
  const tests = compareEvaluations(other.evaluation, evaluation);
  return { with: run.id, checkpoint: `step ${other.step}`, twin, tests };
}
