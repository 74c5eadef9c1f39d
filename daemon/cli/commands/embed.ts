import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { type EmbedResult, embed, type FeatureKind, featureKinds } from '../../../protocol/jobs/embedMessages.ts';
import { embedImages } from '../../runs/jobs/embedImages.ts';
import type { OnJobProgress } from '../../runs/jobs/job.ts';
import { kindsOf, type Task } from '../../runs/start/task.ts';
import { tasks as productTasks } from '../../runs/start/tasks.ts';
import { Reporter } from '../terminal/reporter.ts';
import { findRun } from '../viaDaemon/findRun.ts';
import { addJobOptions, askForJob, type JobOptions } from './jobOptions.ts';

interface Options extends JobOptions {
  data?: string;
  manifest?: string;
  out: string;
  network: 'student' | 'teacher';
  features: FeatureKind;
  maxBroken?: number;
}

/** `unimiss embed RUN --data FOLDER --out FOLDER` */
export function embedCommand(tasks: readonly Task[] = productTasks): Command {
  const command = new Command('embed')
    .description(
      'Compute features of images with a pre-trained network. Writes features-2D.npy and features-3D.npy, each with a CSV of the image paths. If images have labels, also reports how well the features separate them.',
    )
    .argument('<run>', 'name or folder of the run')
    .option('--data <folder>', 'folder or file with images (default: the images of the run)')
    .addOption(new Option('--manifest <file>', 'list of images (path, label), instead of --data').conflicts('data'))
    .requiredOption('-o, --out <folder>', 'folder for the features')
    .addOption(
      new Option('--network <network>', 'network to use; the teacher gives better features')
        .choices(['teacher', 'student'])
        .default('teacher'),
    )
    .addOption(
      new Option(
        '--features <features>',
        "decoder: the decoder's class token, which pre-training compares; encoder: what fine-tuning for classification reads, the last stage's class token and the mean of its patches",
      )
        .choices(featureKinds)
        .default('decoder'),
    )
    .option('--max-broken <share>', 'largest fraction of broken images, 0 to 1 (default: as in the run)', share);
  return addJobOptions(command)
    .addHelpText(
      'after',
      '\nExample:\n  unimiss embed my-run --data ~/ct -o features\n  python -c "import numpy; print(numpy.load(\'features/features-3D.npy\').shape)"',
    )
    .action(async (name: string, options: Options, self: Command) => {
      const { data, manifest, network, features, maxBroken, out } = options;
      const reporter = Reporter.of(self);
      const task = {
        ...(data !== undefined && { data: resolve(data) }),
        ...(manifest !== undefined && { manifest: resolve(manifest) }),
        out: resolve(out),
        network,
        features,
        ...(maxBroken !== undefined && { maxBroken }),
        weights: 'last' as const,
      };
      const here = async (root: string, onProgress: OnJobProgress) =>
        embedImages(await findRun(root, name, kindsOf(tasks)), task, onProgress);
      show(await askForJob({ request: embed, run: name, task, options, reporter, here }), reporter);
    });
}

function show({ phases, broken, notices }: EmbedResult, reporter: Reporter): void {
  for (const notice of notices) reporter.notice(notice);
  for (const image of broken) reporter.notice(`Broken image: ${image.id}: ${image.reason}`);
  for (const { phase, images, length, file, neighbours, linear } of phases) {
    reporter.line(`${file}: ${images} × ${length}`);
    if (neighbours)
      reporter.line(
        `  k-NN (k = ${neighbours.k}, leave-one-out) finds the label of ${percent(neighbours.accuracy)} of the images; chance: ${percent(neighbours.chance)}`,
      );
    if (linear)
      reporter.line(
        `  a linear probe with ${linear.perClass} labels a class finds that of ${percent(linear.accuracy)} of the others (95 % interval ${percent(linear.interval[0])}–${percent(linear.interval[1])})`,
      );
    reporter.record({ phase, file, images, length, neighbours, linear });
  }
}

function share(value: string): number {
  const number = Number(value);
  if (value.trim() !== '' && number >= 0 && number <= 1) return number;
  throw new InvalidArgumentError('Expected a number from 0 to 1.');
}

/** 0.523 → `52 %` */
export function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}
