import { resolve } from 'node:path';
import { requirePretrain } from '../../../protocol/config/pretrain/index.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import type { NeighboursResult, NeighboursTask } from '../../../protocol/jobs/lookMessages.ts';
import { openDataset, type Sample } from '../../data/datasets/unlabelled.ts';
import { inspectImage } from '../../data/formats/image.ts';
import { mostSimilar } from '../../evaluate/features/knn.ts';
import type { RunFolder } from '../folder/runFolder.ts';
import { embedWithRun } from './embedRun.ts';

/**
 * Finds the images of a run that are most like an image, by the cosine of their features.
 * @throws UnimissError 'data' if the image cannot be read, or the run hides the names of its images; 'checkpoint'
 */
export async function neighbourImages(
  run: RunFolder,
  { image, count, network }: Omit<NeighboursTask, 'run'>,
  onProgress: (what: string, done: number, total: number) => void,
): Promise<NeighboursResult> {
  const { data, records } = requirePretrain(run.config);
  if (records.hidePaths)
    throw new UnimissError('data', 'hides the names of its images (records.hidePaths)', {
      place: run.id,
      remedy: 'Choose a run that names them.',
    });
  const phase = (await inspectImage(image)).kind;
  const dataset = await openDataset({
    ...(data.paths && { paths: data.paths }),
    ...(data.manifest !== undefined && { manifest: data.manifest }),
    maxBroken: 1,
  });
  const own = resolve(image);
  const asked: Sample = { id: own, path: own, kind: phase };
  const others = dataset.samples(phase).filter(({ path }) => resolve(path) !== own);
  const notices: string[] = [];
  const embedded = await embedWithRun(
    run,
    { samples: (one) => (one === phase ? [asked, ...others] : []) },
    {
      ...{ network, weights: 'last' },
      onProgress: (_, done, total) => onProgress('Features', done, total),
      onNotice: (message) => notices.push(message),
    },
  );
  const found = embedded[phase];
  const samples = found?.samples ?? [];
  if (!found || samples[0] !== asked)
    throw new UnimissError('data', found?.broken[0]?.reason ?? 'cannot be read', { place: image });
  const neighbours = mostSimilar(found.features, found.length, 0, count).flatMap(({ row, cosine }) => {
    const sample = samples[row];
    return sample ? [{ image: sample.path, similarity: cosine }] : [];
  });
  return { phase, neighbours, images: samples.length - 1, notices };
}
