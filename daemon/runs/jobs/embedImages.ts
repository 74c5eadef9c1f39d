import { join } from 'node:path';
import { stringify } from 'csv-stringify/sync';
import { requirePretrain } from '../../../protocol/config/pretrain/index.ts';
import type { EmbedResult, EmbedTask } from '../../../protocol/jobs/embedMessages.ts';
import { modalities } from '../../../protocol/modality.ts';
import { describeIgnored } from '../../data/datasets/ignoredFiles.ts';
import { type Dataset, openDataset } from '../../data/datasets/unlabelled.ts';
import { classifyByNeighbors } from '../../evaluate/features/knn.ts';
import { linearProbe } from '../../evaluate/features/linearProbe.ts';
import { encodeNpy } from '../../evaluate/features/npy.ts';
import { diskError, writeAtomically, writeTextAtomically } from '../../files/atomic.ts';
import { makeFolder } from '../../files/folder.ts';
import type { EmbeddedImages } from '../../infer/embedSamples.ts';
import { PathHider, privacyKey } from '../folder/privacy.ts';
import type { RunFolder } from '../folder/runFolder.ts';
import { embedWithRun } from './embedRun.ts';

/** Neighbours that vote; fewer if there are few images. */
const NEIGHBOURS = 10;
/** Labels of each class for the linear probe; at most half of the images of the rarest class. */
const MOST_LABELS = 16;

/**
 * Computes features of images with a run's network. Writes them as NPY, each with a CSV of paths and labels beside it, and
 * measures how well the labels separate.
 * @throws UnimissError 'data' for unusable images, 'checkpoint' if the run has none, 'disk'
 */
export async function embedImages(
  run: RunFolder,
  task: Omit<EmbedTask, 'run'>,
  onProgress: (what: string, done: number, total: number) => void,
): Promise<EmbedResult> {
  const dataset = await openDataset({
    ...imagesOf(run, task),
    maxBroken: task.maxBroken ?? requirePretrain(run.config).data.maxBroken,
  });
  const hider = await hiderOf(run, dataset);
  const notices: string[] = [];
  const onNotice = (message: string) => notices.push(hider?.text(message) ?? message);
  const ignored = describeIgnored(dataset, !hider);
  if (ignored !== undefined) onNotice(ignored);
  const broken = dataset.broken.map(({ id, reason }) => ({ id, reason }));
  const embedded = await embedWithRun(run, dataset, {
    network: task.network,
    weights: task.weights,
    features: task.features,
    onProgress: (phase, done, total) => onProgress(`Features ${phase}`, done, total),
    onNotice,
  });
  const phases: EmbedResult['phases'] = [];
  for (const phase of modalities) {
    const images = embedded[phase];
    if (!images) continue;
    broken.push(...images.broken.map(({ id, reason }) => ({ id, reason })));
    const file = task.out === undefined ? null : await writeFeatures(task.out, phase, images);
    const { samples, length } = images;
    phases.push({ phase, images: samples.length, length, file, ...separationOf(images) });
  }
  return { phases, broken, notices };
}

/** Hides the images' names in notices if the run hides them in its records. */
async function hiderOf(run: RunFolder, { samples2D, samples3D }: Dataset): Promise<PathHider | undefined> {
  if (!run.config.records.hidePaths) return undefined;
  return new PathHider(
    await privacyKey(),
    [...samples2D, ...samples3D].map(({ path }) => path),
  );
}

/** The requested images, else those of the run. */
function imagesOf(run: RunFolder, { data, manifest }: Pick<EmbedTask, 'data' | 'manifest'>) {
  if (data !== undefined) return { paths: [data] };
  if (manifest !== undefined) return { manifest };
  const own = requirePretrain(run.config).data;
  return { ...(own.paths && { paths: own.paths }), ...(own.manifest !== undefined && { manifest: own.manifest }) };
}

/** How well the labels separate; null if an image has no label, or all have the same. */
function separationOf({
  samples,
  features,
  length,
}: EmbeddedImages): Pick<EmbedResult['phases'][number], 'neighbours' | 'linear'> {
  const classes = [...new Set(samples.map((sample) => sample.label))];
  if (classes.length < 2 || classes.includes(undefined)) return { neighbours: null, linear: null };
  const labels = samples.map((sample) => classes.indexOf(sample.label));
  const data = { features, featureLength: length, labels };
  const { k, accuracy, interval, chance } = classifyByNeighbors(data, { k: NEIGHBOURS });
  const neighbours = { k, accuracy, interval, chance };
  const fewest = Math.min(...classes.map((_, c) => labels.filter((label) => label === c).length));
  const perClass = Math.min(MOST_LABELS, Math.floor(fewest / 2));
  if (perClass < 2) return { neighbours, linear: null };
  const probe = linearProbe(data, { perClass });
  const { low, high } = probe.interval ?? { low: probe.accuracy, high: probe.accuracy };
  return { neighbours, linear: { perClass, accuracy: probe.accuracy, interval: [low, high], chance } };
}

async function writeFeatures(
  out: string,
  phase: string,
  { features, length, samples }: EmbeddedImages,
): Promise<string> {
  try {
    await makeFolder(out);
  } catch (error) {
    throw diskError(error, out);
  }
  const file = join(out, `features-${phase}.npy`);
  await writeAtomically(file, (handle) => handle.writeFile(encodeNpy(features, samples.length, length)));
  const rows = samples.map((sample) => [sample.path, sample.label ?? '']);
  await writeTextAtomically(join(out, `features-${phase}.csv`), stringify([['path', 'label'], ...rows]));
  return file;
}
