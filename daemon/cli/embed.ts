import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { stringify } from 'csv-stringify/sync';
import { openDataset } from '../data/dataset.ts';
import type { EmbeddedImages } from '../evaluate/embedDataset.ts';
import { diskError, writeAtomically, writeTextAtomically } from '../files/atomic.ts';
import { embedWithRun } from '../runs/embedRun.ts';
import { runsRoot } from '../runs/root.ts';
import { findRun } from './findRun.ts';
import { encodeNpy } from './npy.ts';
import { Reporter } from './reporter.ts';

interface Options {
  data?: string;
  manifest?: string;
  out: string;
  network: 'student' | 'teacher';
  runs?: string;
}

/** `unimiss embed RUN --data FOLDER --out FOLDER` */
export function embedCommand(): Command {
  return new Command('embed')
    .description(
      'Features of images by a pre-trained network: features-2D.npy, features-3D.npy, and beside each a CSV with the paths.',
    )
    .argument('<run>', 'name or folder of the run')
    .option('--data <folder>', 'folder or file with images')
    .option('--manifest <file>', 'a list of images (path, label) in place of --data')
    .requiredOption('-o, --out <folder>', 'where the features go')
    .addOption(
      new Option('--network <network>', 'teachers give the better features')
        .choices(['teacher', 'student'])
        .default('teacher'),
    )
    .option('--runs <folder>', 'folder of runs (default: UNIMISS_RUNS, else ~/unimiss-runs)')
    .addHelpText(
      'after',
      '\nExample:\n  unimiss embed my-run --data ~/ct -o features\n  python -c "import numpy; print(numpy.load(\'features/features-3D.npy\').shape)"',
    )
    .action(async (name: string, options: Options, command: Command) => {
      const reporter = Reporter.of(command);
      const run = await findRun(options.runs ? resolve(options.runs) : runsRoot(), name);
      const source = options.data || options.manifest ? options : { data: undefined, manifest: undefined };
      const own = run.config.data;
      const dataset = await openDataset({
        ...(source.data ? { paths: [resolve(source.data)] } : source.manifest ? {} : own.paths && { paths: own.paths }),
        ...(source.manifest
          ? { manifest: resolve(source.manifest) }
          : source.data
            ? {}
            : own.manifest && { manifest: own.manifest }),
        maxBroken: own.maxBroken,
      });
      for (const image of dataset.broken) reporter.notice(`Broken image: ${image.id}: ${image.reason}`);
      const embedded = await embedWithRun(run, dataset, {
        network: options.network,
        weights: 'last',
        onProgress: (phase, done, total) => reporter.progress(`${phase} ${done}/${total}`, done === total),
        onNotice: (message) => reporter.notice(message),
      });
      const out = resolve(options.out);
      for (const [phase, images] of Object.entries(embedded)) {
        const file = await writeFeatures(out, phase, images);
        for (const image of images.broken) reporter.notice(`Broken image: ${image.id}: ${image.reason}`);
        reporter.line(`${file}: ${images.samples.length} × ${images.length}`);
        reporter.record({ phase, file, images: images.samples.length, length: images.length });
      }
    });
}

async function writeFeatures(
  out: string,
  phase: string,
  { features, length, samples }: EmbeddedImages,
): Promise<string> {
  try {
    await mkdir(out, { recursive: true });
  } catch (error) {
    throw diskError(error, out);
  }
  const file = join(out, `features-${phase}.npy`);
  await writeAtomically(file, (handle) => handle.writeFile(encodeNpy(features, samples.length, length)));
  const rows = samples.map((sample) => [sample.path, sample.label ?? '']);
  await writeTextAtomically(join(out, `features-${phase}.csv`), stringify([['path', 'label'], ...rows]));
  return file;
}
