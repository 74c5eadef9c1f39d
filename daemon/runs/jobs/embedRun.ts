import { UnimissError } from '../../../protocol/errors.ts';
import { type Modality, modalities } from '../../../protocol/modality.ts';
import { CheckpointStore } from '../../checkpoint/store.ts';
import type { Dataset } from '../../data/datasets/unlabelled.ts';
import { VolumeReader } from '../../data/volumes.ts';
import { createEmbed } from '../../infer/embed.ts';
import { type EmbeddedImages, embedSamples } from '../../infer/embedSamples.ts';
import { createPretrainState } from '../../train/pretrain/state.ts';
import { readHead } from '../checkpoint/format.ts';
import type { RunFolder } from '../folder/runFolder.ts';
import { modelConfig } from '../start/modelConfig.ts';
import { openRunEngine } from '../start/openRunEngine.ts';

export interface EmbedRunOptions {
  network: 'student' | 'teacher';
  /** `initial`: the weights that the run starts with; `last`: its newest good checkpoint. */
  weights: 'initial' | 'last';
  onProgress?: (phase: Modality, done: number, total: number) => void;
  onNotice?: (message: string) => void;
}

/** Images that go through the network at once. */
const BATCH = 8;

/**
 * Features of a data set by a run's network.
 * @throws UnimissError 'checkpoint' where the run has no checkpoint yet
 */
export async function embedWithRun(
  run: RunFolder,
  dataset: Dataset,
  options: EmbedRunOptions,
): Promise<Partial<Record<Modality, EmbeddedImages>>> {
  const { network, weights, onProgress, onNotice = () => undefined } = options;
  for (const notice of run.notices) onNotice(notice);
  const { engine } = await openRunEngine(run.config.engine, await run.versions(), onNotice);
  const state = createPretrainState(engine, modelConfig(run.config.model), run.config.train.seed);
  try {
    if (weights === 'last') {
      const saved = await new CheckpointStore(run.checkpointsFolder).latestGood(onNotice);
      if (!saved)
        throw new UnimissError('checkpoint', 'this run has no checkpoint yet', {
          place: run.folder,
          remedy: 'Wait for the end of its first epoch, or stop it, which saves one.',
        });
      try {
        const { tensors } = saved;
        readHead(tensors, 'pretrain');
        await state.load((name) => (tensors.tensors.has(name) ? tensors.readFloat32(name) : undefined));
      } finally {
        await saved.tensors.close();
      }
    }
    const { data } = run.config;
    const volumes = new VolumeReader(data.resample ? { spacing: data.spacing, cache: data.cache } : false);
    const result: Partial<Record<Modality, EmbeddedImages>> = {};
    for (const phase of modalities) {
      const samples = dataset.samples(phase);
      if (samples.length === 0) continue;
      const embed = createEmbed(engine, state, { network, modality: phase, batch: BATCH });
      try {
        const embedder = { ...embed.options, length: embed.length, run: embed.run };
        result[phase] = await embedSamples(samples, embedder, volumes, (done, total) =>
          onProgress?.(phase, done, total),
        );
      } finally {
        embed.dispose();
      }
    }
    return result;
  } finally {
    state.dispose();
  }
}
