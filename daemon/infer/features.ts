import type { FeatureKind } from '../../protocol/jobs/embedMessages.ts';
import { concat, mean, reshape, type Tensor } from '../engine/ops/index.ts';
import { decode, type EncoderOutput, encode, type Pass } from '../model/backbone.ts';
import { featureLength, type MitConfig } from '../model/config.ts';
import { cells } from '../model/geometry.ts';

/** The mean over the patches of a map [B, …grid, C] → [B, C]. */
export function overPatches(map: Tensor): Tensor {
  const [batch, channels] = [map.shape[0]!, map.shape.at(-1)!];
  return mean(reshape(map, [batch, cells(map.shape.slice(1, -1)), channels]), [1]);
}

/** What a fine-tuning for classification reads, before its norm: class tokens, then the mean of the patches, [B, 2 C]. */
export function encoderFeatures({ classTokens, patches }: Pick<EncoderOutput, 'classTokens' | 'patches'>): Tensor {
  return concat([classTokens, overPatches(patches)], 1);
}

/** Features of images, [B, `lengthOf`]. */
export function features(pass: Pass, images: Tensor, kind: FeatureKind): Tensor {
  const encoded = encode(pass, images);
  return kind === 'encoder' ? encoderFeatures(encoded) : decode(pass, encoded);
}

/** Numbers of an image. */
export function lengthOf(config: MitConfig, kind: FeatureKind): number {
  return kind === 'encoder' ? 2 * config.encoder.dims.at(-1)! : featureLength(config);
}
