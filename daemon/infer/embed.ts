import { UnimissError } from '../../protocol/errors.ts';
import type { FeatureKind } from '../../protocol/jobs/embedMessages.ts';
import type { Modality } from '../../protocol/modality.ts';
import type { Engine, Executor } from '../engine/index.ts';
import { features, lengthOf } from './features.ts';
import type { Network } from './network.ts';

export interface EmbedOptions {
  readonly modality: Modality;
  /** Largest number of images per call. */
  readonly batch: number;
  /** Default 'decoder'. */
  readonly features?: FeatureKind;
  /** [H, W] or [D, H, W]; default: the size of the model. */
  readonly size?: readonly number[];
  /** Default 'graph'. */
  readonly executor?: Executor;
}

export interface Embed {
  readonly options: Required<EmbedOptions>;
  /** Length of a feature vector. */
  readonly length: number;
  /**
   * Features by the network's present weights.
   * @param images at most `batch` of them, [n, H, W, 3] (values 0–1) or [n, D, H, W, 1]
   * @returns [n, length]
   */
  run(images: Float32Array): Promise<Float32Array>;
  dispose(): void;
}

/** Compiles the backbone of a network, for k-NN and exported features. */
export function createEmbed(engine: Engine, { config, parameters }: Network, options: EmbedOptions): Embed {
  const { modality, batch } = options;
  const size = options.size ?? (modality === '2D' ? config.size2D : config.size3D);
  const executor = options.executor ?? 'graph';
  const kind = options.features ?? 'decoder';
  const shape = [batch, ...size, modality === '2D' ? 3 : 1];
  const imageLength = shape.slice(1).reduce((all, n) => all * n, 1);
  const step = engine.compile({
    name: `embed ${modality}`,
    executor,
    inputs: { images: { shape } },
    body: ({ images }) => ({
      features: features({ config, modality, weights: parameters.weights() }, images!, kind),
    }),
  });
  const length = lengthOf(config, kind);
  return {
    options: { modality, batch, size, executor, features: kind },
    length,
    async run(images) {
      const count = images.length / imageLength;
      if (!Number.isInteger(count) || count < 1 || count > batch)
        throw new UnimissError(
          'internal',
          `${images.length} values are not 1 to ${batch} images of ${shape.slice(1).join('×')}`,
          {
            place: 'input of embed',
          },
        );
      const padded = count === batch ? images : new Float32Array(batch * imageLength);
      if (padded !== images) padded.set(images);
      const { features } = await step.run({ images: padded });
      return features.subarray(0, count * length);
    },
    dispose: () => step.dispose(),
  };
}
