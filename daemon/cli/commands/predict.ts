import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { UnimissError } from '../../../protocol/errors.ts';
import { type Predicted, type PredictResult, predict } from '../../../protocol/jobs/predictMessages.ts';
import { runsRoot } from '../../runs/folder/root.ts';
import { predictImages } from '../../runs/jobs/predict/predictImages.ts';
import { kindsOf, type Task } from '../../runs/start/task.ts';
import { tasks as productTasks } from '../../runs/start/tasks.ts';
import { Reporter } from '../terminal/reporter.ts';
import { askedRoot, foregroundOption, runReference, throughDaemon } from '../viaDaemon/connection.ts';
import { findRun } from '../viaDaemon/findRun.ts';
import { withProgress } from '../viaDaemon/progress.ts';

interface Options {
  out: string;
  checkpoint: 'best' | 'last';
  overlap: number;
  mirror?: boolean;
  statistics?: boolean;
  runs?: string;
  foreground?: boolean;
  wait: boolean;
  now?: boolean;
}

/** `unimiss predict RUN INPUT -o OUT` */
export function predictCommand(tasks: readonly Task[] = productTasks): Command {
  return new Command('predict')
    .description(
      "Label new images with a fine-tuned network. Segmentation writes a label map per image, in the image's own grid. Classification writes predictions.csv with probabilities. Images that the output folder already has results for are skipped.",
    )
    .argument('<run>', 'name or folder of the fine-tuning run')
    .argument('<input>', 'image, folder with images, or folder of a DICOM series')
    .requiredOption('-o, --out <folder>', 'folder for the results')
    .addOption(
      new Option('--checkpoint <which>', 'the checkpoint with the best validation, or the newest')
        .choices(['best', 'last'])
        .default('best'),
    )
    .option('--overlap <share>', 'fraction of a window that it shares with the next one', overlap, 0.5)
    .option('--mirror', 'also predict mirrored windows and average: slower, usually a little better')
    .option('--statistics', 'also write statistics.csv: volume in ml, mean value, contact with the border')
    .option('--runs <folder>', 'folder of runs (default: UNIMISS_RUNS, else ~/unimiss-runs)')
    .option('--no-wait', 'fail at once if the device is in use, and say by what (default: wait until it is free)')
    .addOption(new Option('--now', 'start at once, even if the device is in use, and share it').conflicts('wait'))
    .addOption(foregroundOption())
    .addHelpText('after', '\nExample:\n  unimiss predict liver ~/ct/new -o labels --statistics')
    .action(async (name: string, input: string, options: Options, command: Command) => {
      const { out, checkpoint, mirror = false, statistics = false, runs, foreground, wait, now } = options;
      const reporter = Reporter.of(command);
      const root = askedRoot(runs);
      const task = {
        ...{ input: resolve(input), out: resolve(out), checkpoint, overlap: options.overlap, mirror, statistics },
      };
      const whenBusy = now ? 'share' : wait ? 'wait' : 'refuse';
      const result = foreground
        ? await here(await findRun(root ?? runsRoot(), name, kindsOf(tasks)), task, reporter)
        : await throughDaemon(reporter, (client) =>
            withProgress(client, reporter, (workDoneToken, cancel) =>
              client.call(predict, { ...task, run: runReference(name, root), whenBusy, workDoneToken }, cancel),
            ),
          );
      show(result, reporter);
    });
}

function here(
  run: Awaited<ReturnType<typeof findRun>>,
  task: Omit<Parameters<typeof predictImages>[1], 'run'>,
  reporter: Reporter,
) {
  return predictImages(run, { ...task, run: run.folder }, (what, done, total) =>
    reporter.progress(`${what} (${done} of ${total})`, done === total),
  );
}

/** @throws UnimissError 'data' where images failed, after everything else was shown */
function show({ predicted, skipped, failed, table, notices }: PredictResult, reporter: Reporter): void {
  for (const notice of notices) reporter.notice(notice);
  for (const each of predicted) {
    for (const notice of each.notices) reporter.notice(`${each.image}: ${notice}`);
    reporter.line(`${each.image}: ${outcome(each)}`);
    reporter.record(each);
  }
  if (skipped > 0) reporter.notice(`Skipped ${skipped} images that already have results.`);
  if (table !== null) reporter.line(table);
  const [first] = failed;
  for (const { image, reason } of failed) reporter.notice(`${image}: ${reason}`);
  if (first)
    throw new UnimissError(
      'data',
      `${failed.length} of ${failed.length + predicted.length + skipped} images could not be predicted`,
      {
        place: first.image,
        remedy:
          'The reasons are listed above. Correct the images and run the command again: it predicts only what is missing.',
      },
    );
}

/** `labels/a.nii.gz (4.1 s)`, `pneumonia 0.93 (0.2 s)` */
function outcome({ files, probabilities, seconds }: Predicted): string {
  const time = `(${seconds.toFixed(1)} s)`;
  if (!probabilities) return `${files.join(', ')} ${time}`;
  const sorted = Object.entries(probabilities).sort(([, a], [, b]) => b - a);
  return `${sorted.map(([name, value]) => `${name} ${value.toFixed(2)}`).join(', ')} ${time}`;
}

function overlap(value: string): number {
  const number = Number(value);
  if (value.trim() !== '' && number >= 0 && number <= 0.9) return number;
  throw new InvalidArgumentError('Expected a number from 0 to 0.9.');
}
