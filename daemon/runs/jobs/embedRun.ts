import { requirePretrain } from '../../../protocol/config/pretrain/index.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import type { FeatureKind } from '../../../protocol/jobs/embedMessages.ts';
import { type Modality, modalities } from '../../../protocol/modality.ts';
import { CheckpointStore } from '../../checkpoint/store.ts';
import type { Dataset } from '../../data/datasets/unlabelled.ts';
import { VolumeReader } from '../../data/volumes.ts';
import type { Engine } from '../../engine/index.ts';
import { createEmbed } from '../../infer/embed.ts';
import { type EmbeddedImages, embedSamples } from '../../infer/embedSamples.ts';
import { createBackbone, type Network } from '../../infer/network.ts';
import { seededValues } from '../../train/parameters/firstValues.ts';
import { readHead } from '../checkpoint/format.ts';
import type { RunFolder } from '../folder/runFolder.ts';
import { modelConfig } from '../start/modelConfig.ts';
import { openRunEngine } from '../start/openRunEngine.ts';
import { readInitialWeights } from '../start/pretrain/initialWeights.ts';

export interface EmbedRunOptions {
  /** Teachers have the better features (Caron et al. 2021). */
  network: 'student' | 'teacher';
  /** `initial`: the weights at the start of the run; `last`: its newest good checkpoint. */
  weights: 'initial' | 'last';
  /** Default `decoder`. */
  features?: FeatureKind;
  onProgress?: (phase: Modality, done: number, total: number) => void;
  onNotice?: (message: string) => void;
}

/** Images per pass through the network. */
const BATCH = 8;

/**
 * Computes features of a data set with a run's network.
 * @throws UnimissError 'checkpoint' if the run has no checkpoint yet
 */
export async function embedWithRun(
  run: RunFolder,
  dataset: Pick<Dataset, 'samples'>,
  options: EmbedRunOptions,
): Promise<Partial<Record<Modality, EmbeddedImages>>> {
  const { features = 'decoder', onProgress, onNotice = () => undefined } = options;
  for (const notice of run.notices) onNotice(notice);
  const { engine } = await openRunEngine(run.config.engine, await run.versions(), onNotice);
  const backbone = await backboneOf(run, engine, options);
  try {
    const { data } = requirePretrain(run.config);
    const volumes = new VolumeReader(data.resample ? { spacing: data.spacing, cache: data.cache } : false);
    const result: Partial<Record<Modality, EmbeddedImages>> = {};
    for (const phase of modalities) {
      const samples = dataset.samples(phase);
      if (samples.length === 0) continue;
      const embed = createEmbed(engine, backbone, { modality: phase, batch: BATCH, features });
      try {
        const embedder = { ...embed.options, length: embed.length, run: embed.run };
        result[phase] = await embedSamples(samples, embedder, volumes, {
          onProgress: (done, total) => onProgress?.(phase, done, total),
          onNotice,
        });
      } finally {
        embed.dispose();
      }
    }
    return result;
  } finally {
    backbone.parameters.dispose();
  }
}

/** The backbone of the run's network, with the requested weights. */
export async function backboneOf(
  run: RunFolder,
  engine: Engine,
  { network, weights, onNotice = () => undefined }: EmbedRunOptions,
): Promise<Network> {
  const config = requirePretrain(run.config);
  const model = modelConfig(config.model);
  const { initialWeights, seed } = config.train;
  if (weights === 'initial') {
    const taken = initialWeights === null ? undefined : await readInitialWeights(initialWeights, { model, seed });
    if (taken) onNotice(taken.finding.message);
    return createBackbone(engine, model, network, taken?.first ?? seededValues(seed));
  }
  const saved = await new CheckpointStore(run.checkpointsFolder).latestGood(onNotice);
  if (!saved)
    throw new UnimissError('checkpoint', 'this run has no checkpoint yet', {
      place: run.folder,
      remedy: 'Wait for the end of its first epoch, or stop the run: this saves a checkpoint.',
    });
  const { tensors } = saved;
  try {
    readHead(tensors, run.task);
    const backbone = createBackbone(engine, model, network);
    await backbone.parameters.load((name) => (tensors.tensors.has(name) ? tensors.readFloat32(name) : undefined));
    return backbone;
  } finally {
    await tensors.close();
  }
}
