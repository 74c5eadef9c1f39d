import { UnimissError } from '../../protocol/errors.ts';
import type { Modality } from '../../protocol/modality.ts';
import type { Engine } from '../engine/index.ts';
import type { Tensor } from '../engine/ops/index.ts';
import { backbone } from '../model/backbone.ts';
import { stageGrids } from '../model/geometry.ts';
import { reducedGrid } from '../model/ops/spatialReduction.ts';
import type { Network } from './network.ts';

export interface Attend {
  /** Patches along the axes of a view. */
  readonly grid: readonly number[];
  /**
   * How much the class token of the last encoder block attends to each patch, mean over heads. The rest up to 1 is its attention to itself.
   * @param image one view, [H, W, 3] (values 0–1) or [D, H, W, 1]
   * @returns [cells of the grid]
   */
  run(image: Float32Array): Promise<Float32Array>;
  dispose(): void;
}

/** Compiles the encoder of a network up to the attention of its last block. */
export function createAttend(engine: Engine, { config, parameters }: Network, modality: Modality): Attend {
  const size = modality === '2D' ? config.size2D : config.size3D;
  const { depths, reductions } = config.encoder;
  const last = depths.length;
  const wanted = `backbone.transformer.block${last}.${(depths.at(-1) ?? 1) - 1}.attn.class`;
  const grid = reducedGrid(stageGrids(modality, size, last).at(-1) ?? [], reductions.at(-1) ?? 1);
  const step = engine.compile({
    name: `attend ${modality}`,
    executor: 'graph',
    inputs: { images: { shape: [1, ...size, modality === '2D' ? 3 : 1] } },
    body: ({ images }) => {
      let attention: Tensor | undefined;
      const observe = (module: string, value: () => Tensor) => {
        if (module === wanted) attention = value();
      };
      backbone({ config, modality, weights: parameters.weights(), observe }, images!);
      if (!attention) throw new UnimissError('internal', 'this network does not have it', { place: wanted });
      return { attention };
    },
  });
  return {
    grid,
    run: async (image) => (await step.run({ images: image })).attention,
    dispose: () => step.dispose(),
  };
}
