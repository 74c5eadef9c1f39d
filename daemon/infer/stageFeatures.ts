import type { Modality } from '../../protocol/modality.ts';
import type { Engine } from '../engine/index.ts';
import type { Tensor } from '../engine/ops/index.ts';
import { decode, encode } from '../model/backbone.ts';
import { encoderFeatures, overPatches } from './features.ts';
import type { Network } from './network.ts';

/** Features of images at every place of a network. */
export interface StageFeatures {
  /** The features by their names, [n, length] each. */
  run(images: Float32Array): Promise<Record<string, Float32Array>>;
  dispose(): void;
}

/**
 * Compiles a backbone for probes: `stem`, `stage1`, … (means over patches; the last stage's are called `patches`), `token` (the class
 * token of the last stage), `encoder` (both of these) and `decoder` (the decoder's class token, what `embed` gives unless asked).
 * @param batch images of a call, exactly
 */
export function createStageFeatures(
  engine: Engine,
  { config, parameters }: Network,
  { modality, batch }: { modality: Modality; batch: number },
): StageFeatures {
  const size = modality === '2D' ? config.size2D : config.size3D;
  const step = engine.compile({
    name: `stages ${modality}`,
    executor: 'graph',
    inputs: { images: { shape: [batch, ...size, modality === '2D' ? 3 : 1] } },
    body: ({ images }: Record<string, Tensor>): Record<string, Tensor> => {
      const pass = { config, modality, weights: parameters.weights() };
      const encoded = encode(pass, images!);
      return {
        stem: overPatches(encoded.stem),
        ...Object.fromEntries(encoded.maps.map((map, stage) => [`stage${stage + 1}`, overPatches(map)])),
        patches: overPatches(encoded.patches),
        token: encoded.classTokens,
        encoder: encoderFeatures(encoded),
        decoder: decode(pass, encoded),
      };
    },
  });
  return { run: (images) => step.run({ images }), dispose: () => step.dispose() };
}
