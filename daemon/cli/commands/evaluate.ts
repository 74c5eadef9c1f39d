import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { conventionNames } from '../../../protocol/evaluation/segmentation.ts';
import { type EvaluateResult, type EvaluateTask, evaluate } from '../../../protocol/jobs/evaluateMessages.ts';
import { evaluateRun } from '../../runs/jobs/evaluate/evaluateRun.ts';
import type { OnJobProgress } from '../../runs/jobs/job.ts';
import { kindsOf, type Task } from '../../runs/start/task.ts';
import { tasks as productTasks } from '../../runs/start/tasks.ts';
import { Reporter } from '../terminal/reporter.ts';
import { askedRoot, runReference } from '../viaDaemon/connection.ts';
import { findRun } from '../viaDaemon/findRun.ts';
import { addJobOptions, askForJob, type JobOptions } from './jobOptions.ts';

interface Options extends JobOptions {
  split?: 'test' | 'validation';
  out?: string;
  against?: string;
  alone?: boolean;
  checkpoint: 'best' | 'last';
  mirror?: boolean;
  tolerance: number;
  convention: EvaluateTask['convention'];
}

/** `unimiss evaluate RUN [--split test]` */
export function evaluateCommand(tasks: readonly Task[] = productTasks): Command {
  const command = new Command('evaluate')
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
    .option(
      '--against <run>',
      'compare with another run by a paired test (default: its twin from scratch, or the run of which it is the twin)',
    )
    .addOption(new Option('--alone', 'compare with no other run').conflicts('against'))
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
    );
  return addJobOptions(command).action(async (name: string, options: Options, self: Command) => {
    const { split, out, against, alone, checkpoint, mirror = false, tolerance, convention } = options;
    const reporter = Reporter.of(self);
    const task = {
      ...(split && { split }),
      ...(out !== undefined && { out: resolve(out) }),
      ...(against !== undefined && { against: runReference(against, askedRoot(options.runs)) }),
      ...(alone && { against: null }),
      ...{ checkpoint, mirror, overlap: 0.5, toleranceMm: tolerance, convention },
    };
    const here = async (root: string, onProgress: OnJobProgress) => {
      const run = await findRun(root, name, kindsOf(tasks));
      return evaluateRun(run, { ...task, run: run.folder }, onProgress);
    };
    show(await askForJob({ request: evaluate, run: name, task, options, reporter, here }), reporter);
  });
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
