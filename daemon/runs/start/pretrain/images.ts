import type { PretrainConfig } from '../../../../protocol/config/index.ts';
import type { Modality } from '../../../../protocol/modality.ts';
import { views2DOptions, views3DOptions } from '../../../data/augment/options.ts';
import { type Dataset, openDataset } from '../../../data/datasets/unlabelled.ts';
import { type Loader, openLoader } from '../../../data/loader/index.ts';
import type { ViewOptions } from '../../../data/loader/types.ts';
import type { ImageHashes } from '../../records/imageHashes.ts';
import type { RunJournal } from '../../records/runJournal.ts';

/** The images that a run trains on. From then on, their names are hidden if the configuration asks for it. */
export async function openImages({ data }: PretrainConfig, journal: RunJournal): Promise<Dataset> {
  const dataset = await openDataset({
    ...(data.paths && { paths: data.paths }),
    ...(data.manifest !== undefined && { manifest: data.manifest }),
    maxBroken: data.maxBroken,
    // First of all: too many of them end the run with a message that lists them.
    onBroken: (image) => journal.hideNames([image.id]),
  });
  journal.hideNames([...dataset.samples2D, ...dataset.samples3D].map((sample) => sample.path));
  return dataset;
}

/** What the views of a phase depend on. */
export function viewOptionsOf({ data, train, model, views }: PretrainConfig, phase: Modality) {
  return {
    phase,
    seed: train.seed,
    views2D: { ...views2DOptions(model.size2D), area: views.area2D },
    views3D: {
      ...views3DOptions(model.size3D, views.volumeDraws, views.pad3D),
      ...{ crop: views.crop3D, parentCrop: views.parent3D },
    },
    resample: data.resample ? { spacing: data.spacing, cache: data.cache } : false,
  } satisfies Omit<ViewOptions, 'cacheMiB'>;
}

/** The loader of a phase: one batch per optimiser step. */
export function openRunLoader(
  config: PretrainConfig,
  dataset: Dataset,
  phase: Modality,
  { journal, hashes }: { journal: RunJournal; hashes: ImageHashes | undefined },
): Loader {
  const { data, train } = config;
  return openLoader({
    ...viewOptionsOf(config, phase),
    dataset,
    workers: data.workers,
    batch: train.batch[phase] * train.accumulate,
    onBroken: (image) => journal.event('broken', `${image.id}: ${image.reason}`, { file: image.id }),
    onNotice: (message, kind, image) => journal.event('notice', message, { file: image, details: { kind } }),
    told: journal.reportedKinds,
    ...(hashes && {
      onDigest: (sample, digest) => hashes.add(journal.nameOf(sample), digest),
      hasDigest: (sample) => hashes.has(journal.nameOf(sample)),
    }),
  });
}
