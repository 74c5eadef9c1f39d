import type { PretrainConfig } from '../../../protocol/config/index.ts';
import type { PresetName } from '../../../protocol/config/pretrain/presets.ts';
import type { Modality } from '../../../protocol/modality.ts';
import type { Fix } from '../../../protocol/runs/forecast.ts';
import { presetWith } from '../../model/config.ts';
import { parameterTable } from '../../model/parameters.ts';

/**
 * Rough figures, from peaks of whole processes and steps with two threads (docs/performance.md, and batches of 2 to 8 of each
 * preset on the same machine). A run that has measured its own steps replaces them.
 */

/** TensorFlow, Node and the loader, bytes. */
const runtime = 600 * 2 ** 20;
/** Student, teacher, two moments, gradients, and as much again while the optimiser runs. */
const copies = 6;
/** What a checkpoint has of them. */
const savedCopies = 4;
/** Core-seconds of the optimiser for a million parameters, whatever the batch. */
const secondsPerMillion = 0.0072;
/** Core-microseconds of a step and bytes at its peak, for each pixel or voxel of the views. */
const perVoxel: Readonly<Record<PresetName, Readonly<Record<Modality, { microseconds: number; bytes: number }>>>> = {
  nano: { '2D': { microseconds: 1, bytes: 700 }, '3D': { microseconds: 2, bytes: 520 } },
  tiny: { '2D': { microseconds: 1.4, bytes: 715 }, '3D': { microseconds: 2.2, bytes: 1170 } },
  small: { '2D': { microseconds: 3.7, bytes: 980 }, '3D': { microseconds: 5.9, bytes: 2240 } },
};

/**
 * What a pre-training needs, roughly, from the sizes of network, views and batch.
 * @param phases those that the run has
 */
export function pretrainCost({ model, train }: PretrainConfig, phases: readonly Modality[]) {
  const { size2D, size3D, head, preset } = model;
  const network = {
    ...presetWith(model),
    ...{ size2D, size3D },
    head: { hidden: head.hidden, bottleneck: head.bottleneck, out: head.outDim },
  };
  const product = (sides: readonly number[]) => sides.reduce((all, side) => all * side, 1);
  const parameters = parameterTable(network).reduce((sum, { shape }) => sum + product(shape), 0);
  /** Voxels of both views of all images in memory at once. */
  const voxels = { '2D': 2 * train.batch['2D'] * product(size2D), '3D': 2 * train.batch['3D'] * product(size3D) };
  /** Bytes at the peak with other batches. */
  const memory = (batchOf: (batch: number) => number) => {
    const activations = phases.map(
      (phase) => voxels[phase] * (batchOf(train.batch[phase]) / train.batch[phase]) * perVoxel[preset][phase].bytes,
    );
    return runtime + 4 * copies * parameters + Math.max(0, ...activations);
  };
  return {
    memory: memory((batch) => batch),
    checkpoint: 4 * savedCopies * parameters,
    smaller: {
      field: 'train.batch',
      remedy: 'Halve train.batch and double train.accumulate, or choose a smaller model.preset.',
      /** Halves batches until they fit. KoLeo needs its whole batch at once, so then nothing is accumulated. */
      fix(bytes: number): Fix | undefined {
        const least = train.koleo > 0 ? 2 : 1;
        const most = Math.max(...phases.map((phase) => train.batch[phase]));
        for (let parts = 2; parts <= most; parts *= 2) {
          const smaller = (batch: number) => Math.max(Math.min(least, batch), Math.floor(batch / parts));
          if (memory(smaller) > bytes) continue;
          return [
            ...phases.map((phase) => ({ field: `train.batch.${phase}`, value: smaller(train.batch[phase]) })),
            ...(train.koleo > 0 ? [] : [{ field: 'train.accumulate', value: parts * train.accumulate }]),
          ];
        }
        return undefined;
      },
    },
    secondsPerStep(group: Modality | null, cores: number): number {
      if (group === null) return 0;
      const network = secondsPerMillion * 1e-6 * parameters;
      const images = 1e-6 * perVoxel[preset][group].microseconds * train.accumulate * voxels[group];
      return (network + images) / cores;
    },
  };
}
