import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { conventionNames } from '../../../protocol/evaluation/segmentation.ts';
import { type EvaluateResult, type EvaluateTask, evaluate } from '../../../protocol/jobs/evaluateMessages.ts';
import { runsRoot } from '../../runs/folder/root.ts';
import { evaluateRun } from '../../runs/jobs/evaluate/evaluateRun.ts';
import { kindsOf, type Task } from '../../runs/start/task.ts';
import { tasks as productTasks } from '../../runs/start/tasks.ts';
import { Reporter } from '../terminal/reporter.ts';
import { askedRoot, foregroundOption, runReference, throughDaemon } from '../viaDaemon/connection.ts';
import { findRun } from '../viaDaemon/findRun.ts';
import { withProgress } from '../viaDaemon/progress.ts';

interface Options {
  split?: 'test' | 'validation';
  out?: string;
  checkpoint: 'best' | 'last';
  mirror?: boolean;
  tolerance: number;
  convention: EvaluateTask['convention'];
  runs?: string;
  foreground?: boolean;
  wait: boolean;
  now?: boolean;
}

/** `unimiss evaluate RUN [--split test]` */
export function evaluateCommand(tasks: readonly Task[] = productTasks): Command {
  return new Command('evaluate')
    .description(
      'Measure a fine-tuned network on labelled cases of its data set. Writes a folder with report.html, evaluation.json, cases.csv and classes.csv.',
    )
    .argument('<run>', 'name or folder of the fine-tuning run')
    .addOption(
      new Option('--split <split>', 'cases to evaluate (default: test if there are any, else validation)').choices([
        'test',
        'validation',
      ]),
    )
    .option('-o, --out <folder>', 'folder for the results (default: evaluations/SPLIT-STEP in the run folder)')
    .addOption(
      new Option('--checkpoint <which>', 'the checkpoint with the best validation, or the newest')
        .choices(['best', 'last'])
        .default('best'),
    )
    .option('--mirror', 'also predict mirrored windows and average')
    .option('--tolerance <mm>', 'tolerance of the normalised surface Dice in mm', millimeters, 2)
    .addOption(
      new Option('--convention <name>', 'definitions of overlaps, distances and empty classes')
        .choices(conventionNames)
        .default('unimiss'),
    )
    .option('--runs <folder>', 'folder of runs (default: UNIMISS_RUNS, else ~/unimiss-runs)')
    .option('--no-wait', 'fail at once if the device is in use, and say by what (default: wait until it is free)')
    .addOption(new Option('--now', 'start at once, even if the device is in use, and share it').conflicts('wait'))
    .addOption(foregroundOption())
    .action(async (name: string, options: Options, command: Command) => {
      const { split, out, checkpoint, mirror = false, tolerance, convention, runs, foreground, wait, now } = options;
      const reporter = Reporter.of(command);
      const root = askedRoot(runs);
      const task = {
        ...(split && { split }),
        ...(out !== undefined && { out: resolve(out) }),
        ...{ checkpoint, mirror, overlap: 0.5, toleranceMm: tolerance, convention },
      };
      const whenBusy = now ? 'share' : wait ? 'wait' : 'refuse';
      const result = foreground
        ? await here(await findRun(root ?? runsRoot(), name, kindsOf(tasks)), task, reporter)
        : await throughDaemon(reporter, (client) =>
            withProgress(client, reporter, (workDoneToken, cancel) =>
              client.call(evaluate, { ...task, run: runReference(name, root), whenBusy, workDoneToken }, cancel),
            ),
          );
      show(result, reporter);
    });
}

function here(run: Awaited<ReturnType<typeof findRun>>, task: Omit<EvaluateTask, 'run'>, reporter: Reporter) {
  return evaluateRun(run, { ...task, run: run.folder }, (what, done, total) =>
    reporter.progress(`${what} (${done} of ${total})`, done === total),
  );
}

function show(result: EvaluateResult, reporter: Reporter): void {
  for (const notice of result.notices) reporter.notice(notice);
  for (const { case: id, reason } of result.excluded) reporter.notice(`Excluded ${id}: ${reason}`);
  reporter.record(result);
  reporter.line(result.words);
  reporter.line('');
  reporter.line(`Report: ${result.report}`);
}

function millimeters(value: string): number {
  const number = Number(value);
  if (number > 0 && number <= 100) return number;
  throw new InvalidArgumentError('Expected a number of millimetres above 0 and at most 100.');
}
