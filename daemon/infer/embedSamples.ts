import { UnimissError } from '../../protocol/errors.ts';
import type { Modality } from '../../protocol/modality.ts';
import { type BrokenImage, brokenReason, type Sample } from '../data/datasets/unlabelled.ts';
import { readImage } from '../data/formats/image.ts';
import { plainView2D, plainViews3D } from '../data/plainViews.ts';
import type { VolumeNotice, VolumeReader } from '../data/volumes.ts';

/** Turns images into features: `run` takes [n, …size, channels] with n ≤ `batch` and returns [n, length]. */
export interface Embedder {
  readonly modality: Modality;
  readonly size: readonly number[];
  readonly batch: number;
  readonly length: number;
  run(images: Float32Array): Promise<Float32Array>;
}

export interface EmbeddedImages {
  /** [samples.length, length] */
  features: Float32Array;
  length: number;
  /** The images that could be read, in their order. */
  samples: Sample[];
  broken: BrokenImage[];
}

export interface EmbedListener {
  onProgress?(done: number, total: number): void;
  /** Receives one sentence for each kind of notice about the volumes; it names the first volume and counts the others. */
  onNotice?(message: string): void;
}

/**
 * Features of images without augmentation (see `plainViews`). For a volume with more slices than a view: the mean over its
 * windows.
 * @throws UnimissError 'data' if no image could be read
 */
export async function embedSamples(
  samples: readonly Sample[],
  embedder: Embedder,
  volumes: VolumeReader,
  { onProgress, onNotice }: EmbedListener = {},
): Promise<EmbeddedImages> {
  const features: Float32Array[] = [];
  const good: Sample[] = [];
  const broken: BrokenImage[] = [];
  const notices = new Map<VolumeNotice['kind'], { first: string; volumes: number }>();
  for (const [i, sample] of samples.entries()) {
    try {
      const views = await viewsOf(sample, embedder, volumes, ({ kind, message }) => {
        const { first, volumes } = notices.get(kind) ?? { first: `${sample.id} ${message}`, volumes: 0 };
        notices.set(kind, { first, volumes: volumes + 1 });
      });
      features.push(await meanFeature(views, embedder));
      good.push(sample);
    } catch (error) {
      if (!(error instanceof UnimissError && error.code === 'data')) throw error;
      broken.push({ id: sample.id, reason: brokenReason(error) });
    }
    onProgress?.(i + 1, samples.length);
  }
  for (const { first, volumes } of notices.values())
    onNotice?.(volumes === 1 ? first : `${first}; the same is true of ${volumes - 1} more`);
  if (good.length === 0 && samples.length > 0)
    throw new UnimissError(
      'data',
      `cannot read any of the ${samples.length} ${embedder.modality} images: ${broken[0]?.reason}`,
      {
        place: broken[0]?.id,
      },
    );
  return { features: joined(features, embedder.length), length: embedder.length, samples: good, broken };
}

async function viewsOf(
  sample: Sample,
  { modality, size }: Embedder,
  volumes: VolumeReader,
  onNotice: (notice: VolumeNotice) => void,
): Promise<Float32Array[]> {
  if (modality === '2D') return [plainView2D(await readImage(sample.path), size as [number, number])];
  return plainViews3D(await volumes.read(sample.path, onNotice), size as [number, number, number]);
}

async function meanFeature(views: readonly Float32Array[], { run, batch, length }: Embedder): Promise<Float32Array> {
  const mean = new Float32Array(length);
  for (let from = 0; from < views.length; from += batch) {
    const some = views.slice(from, from + batch);
    const features = await run(joined(some, some[0]?.length ?? 0));
    for (const [i, value] of features.entries()) mean[i % length]! += value / views.length;
  }
  return mean;
}

function joined(parts: readonly Float32Array[], length: number): Float32Array {
  const all = new Float32Array(parts.length * length);
  parts.forEach((part, i) => {
    all.set(part, i * length);
  });
  return all;
}
