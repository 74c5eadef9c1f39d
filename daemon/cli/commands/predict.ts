import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { highestVolume } from '../../../protocol/config/shared.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import { type Predicted, type PredictResult, predict } from '../../../protocol/jobs/predictMessages.ts';
import type { OnJobProgress } from '../../runs/jobs/job.ts';
import { openSources } from '../../runs/jobs/predict/openSources.ts';
import { predictImages } from '../../runs/jobs/predict/predictImages.ts';
import { kindsOf, type Task } from '../../runs/start/task.ts';
import { tasks as productTasks } from '../../runs/start/tasks.ts';
import { Reporter } from '../terminal/reporter.ts';
import { wholeNumber } from '../terminal/wholeNumber.ts';
import { askedRoot, runReference } from '../viaDaemon/connection.ts';
import { addJobOptions, askForJob, type JobOptions } from './jobOptions.ts';

interface Options extends JobOptions {
  out: string;
  checkpoint: 'best' | 'last';
  overlap: number;
  mirror?: boolean;
  statistics?: boolean;
  preview?: boolean;
  probabilities?: boolean;
  force?: boolean;
  keep: number;
  volume?: number;
  folds?: string[];
}

/** `unimiss predict RUN INPUT -o OUT` */
export function predictCommand(tasks: readonly Task[] = productTasks): Command {
  const command = new Command('predict')
    .description(
      "Label new images with a fine-tuned network. Segmentation writes a label map per image, in the image's own grid. Classification writes predictions.csv with probabilities. Skips images that already have results in the output folder.",
    )
    .argument('<run>', 'name or folder of the fine-tuning run, folder of an export, or folder that holds several')
    .argument(
      '<input>',
      'image, folder with images, folder of a DICOM series, or CSV with the columns path and patient',
    )
    .requiredOption('-o, --out <folder>', 'folder for the results')
    .addOption(
      new Option('--checkpoint <which>', 'the checkpoint with the best validation, or the newest')
        .choices(['best', 'last'])
        .default('best'),
    )
    .option('--overlap <share>', 'overlap of neighbouring windows, as a fraction', overlap, 0.5)
    .option('--volume <n>', 'the volume to take from files with several (4-D), from 0', wholeNumber(0, highestVolume))
    .option('--mirror', 'also predict mirrored windows and average: slower, usually a little better')
    .option('--probabilities', 'also write the probability of each class at each voxel: takes longer, and much space')
    .option('--statistics', 'also write statistics.csv: volume in ml, mean value, contact with the border')
    .option(
      '--keep <minutes>',
      'how long the daemon keeps the network loaded, so that the next images start at once; it is released earlier if other work needs the device',
      minutes,
      5,
    )
    .option('--force', 'also predict images that differ too much from those of the training')
    .option('--preview', 'also write a picture of three planes with the labels in colours')
    .option('--folds <runs...>', 'further runs or exports, such as the other folds: scores are averaged');
  return addJobOptions(command)
    .addHelpText('after', '\nExample:\n  unimiss predict liver ~/ct/new -o labels --statistics')
    .action(async (name: string, input: string, options: Options, self: Command) => {
      const { out, checkpoint, folds = [], mirror = false, statistics = false, preview = false } = options;
      const reporter = Reporter.of(self);
      const root = askedRoot(options.runs);
      const task = {
        ...{ input: resolve(input), out: resolve(out), checkpoint, overlap: options.overlap, mirror },
        ...{
          statistics,
          preview,
          probabilities: options.probabilities === true,
          force: options.force === true,
          volume: options.volume ?? null,
          keepMinutes: options.keep,
          growing: null,
        },
        folds: folds.map((fold) => runReference(fold, root)),
      };
      const here = async (root: string, onProgress: OnJobProgress) => {
        const folders = [name, ...folds].map((each) => runReference(each, root));
        return predictImages(await openSources(folders, kindsOf(tasks)), { ...task, run: name }, onProgress);
      };
      show(await askForJob({ request: predict, run: name, task, options, reporter, here }), reporter);
    });
}

/** @throws UnimissError 'data' where images failed, after everything else was shown */
function show(
  { step, loadSeconds, predicted, skipped, failed, table, notices }: PredictResult,
  reporter: Reporter,
): void {
  for (const notice of notices) reporter.notice(notice);
  for (const each of predicted) {
    for (const notice of each.notices) reporter.notice(`${each.image}: ${notice}`);
    reporter.line(`${each.image}: ${outcome(each)}`);
    reporter.record(each);
  }
  if (skipped > 0) reporter.notice(`Skipped ${skipped} images that already have results.`);
  if (table !== null) reporter.line(table);
  reporter.record({ step, loadSeconds, predicted: predicted.length, skipped, failed, table, notices });
  const [first] = failed;
  for (const { image, reason } of failed) reporter.notice(`${image}: ${reason}`);
  if (first)
    throw new UnimissError(
      'data',
      `${failed.length} of ${failed.length + predicted.length + skipped} images could not be predicted`,
      {
        place: first.image,
        remedy: `The reasons are listed above. Correct the images and run the command again: it predicts only what is missing.${failed.some(({ unlike }) => unlike) ? ' To predict images that differ from those of the training all the same, add --force.' : ''}`,
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

function minutes(value: string): number {
  const number = Number(value);
  if (value.trim() !== '' && number >= 0 && number <= 24 * 60) return number;
  throw new InvalidArgumentError('Expected minutes from 0 (not at all) to 1440.');
}
