import { UnimissError } from '../../../protocol/errors.ts';
import type { Engine, Executor } from '../../engine/index.ts';
import type { Tensor } from '../../engine/ops/index.ts';
import type { DownstreamConfig, DownstreamPass } from '../../model/downstream.ts';
import { classifyImages } from '../../model/heads/classification.ts';
import { segment } from '../../model/heads/segmentation.ts';
import { classify } from '../../model/ops/classifier.ts';
import { enlarge } from '../../model/ops/enlarge.ts';
import type { ParameterSet } from '../parameters/parameterSet.ts';

/** A network that is asked: its parameters are those of a `FineTuneState`, or a set made from `downstreamTable`. */
export interface DownstreamNetwork {
  readonly model: DownstreamConfig;
  readonly parameters: ParameterSet;
}

export interface ForwardOptions {
  /** Images a call; fewer may be given. */
  readonly batch: number;
  /** [H, W] or [D, H, W]. Default: the size that the model is made for. */
  readonly size?: readonly number[];
  /** Default 'graph'. */
  readonly executor?: Executor;
  /**
   * Where the logits of a segmentation are given: at each voxel, or at the stem's grid (half in the plane), from which `enlarge`d
   * linearly they are the same. Default 'image'.
   */
  readonly grid?: 'image' | 'stem';
}

export interface Forward {
  /** What one image gives: [outputs], or […grid, outputs]. */
  readonly shape: readonly number[];
  /**
   * Logits of images, in evaluation mode, by the network's parameters as they are now.
   * @param images at most `batch` of them, [n, …size, channels]
   * @returns [n, …shape]
   */
  run(images: Float32Array): Promise<Float32Array>;
  dispose(): void;
}

/** Compiles the forward pass of a downstream network, for validation and prediction. */
export function createForward(
  engine: Engine,
  { model, parameters }: DownstreamNetwork,
  options: ForwardOptions,
): Forward {
  const { batch, grid = 'image', executor = 'graph' } = options;
  const { backbone, modality, channels, outputs, task } = model;
  const size = options.size ?? (modality === '2D' ? backbone.size2D : backbone.size3D);
  const [height, width] = size.slice(-2) as [number, number];
  const divided = grid === 'stem' ? 2 : 1;
  const shape =
    task === 'classification' ? [outputs] : [...size.slice(0, -2), height / divided, width / divided, outputs];
  const product = (lengths: readonly number[]) => lengths.reduce((all, n) => all * n, 1);
  const [imageLength, length] = [product(size) * channels, product(shape)];
  const step = engine.compile({
    name: `${modality} ${task}`,
    executor,
    inputs: { images: { shape: [batch, ...size, channels] } },
    body: ({ images }) => {
      const pass: DownstreamPass = { config: model, weights: parameters.weights() };
      return { logits: task === 'classification' ? classifyImages(pass, images!) : voxelLogits(pass, images!, grid) };
    },
  });
  return {
    shape,
    async run(images) {
      const count = images.length / imageLength;
      if (!Number.isInteger(count) || count < 1 || count > batch)
        throw new UnimissError(
          'internal',
          `${images.length} values are not 1 to ${batch} images of ${[...size, channels].join('×')}`,
          { place: `input of the ${task}` },
        );
      const padded = count === batch ? images : new Float32Array(batch * imageLength);
      if (padded !== images) padded.set(images);
      const { logits } = await step.run({ images: padded });
      return logits.subarray(0, count * length);
    },
    dispose: () => step.dispose(),
  };
}

/** Logits of the finest scale, [B, …grid, outputs]. */
function voxelLogits(pass: DownstreamPass, images: Tensor, grid: 'image' | 'stem'): Tensor {
  const [finest] = segment(pass, images);
  const logits = classify(finest!.map, finest!.classifier);
  return grid === 'image' ? enlarge(logits) : logits;
}
