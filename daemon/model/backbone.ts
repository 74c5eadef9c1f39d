import type { Modality } from '../../protocol/modality.ts';
import { reshape, split, type Tensor } from '../engine/ops/index.ts';
import { type BlockOptions, block, type Observe, type TokenShape } from './block.ts';
import type { MitConfig } from './config.ts';
import { cells, stageGrids, stemStrides } from './geometry.ts';
import { convBlock } from './ops/convBlock.ts';
import { greyKernel } from './ops/greyKernel.ts';
import { layerNorm } from './ops/layerNorm.ts';
import { linear } from './ops/linear.ts';
import { resizePositions } from './ops/resizePositions.ts';
import { tokens } from './ops/tokens.ts';
import { upsample } from './ops/upsample.ts';
import { linearOf, normOf, scope, type Weights } from './weights.ts';

/** Stochastic depth: factors [B] for one branch of one block, by the block's name. */
export type StochasticDepth = (block: string, branch: 'attention' | 'mlp') => Tensor;

/** A pass of a network over images of one modality. */
export interface Pass {
  readonly config: MitConfig;
  readonly weights: Weights;
  readonly modality: Modality;
  readonly stochasticDepth?: StochasticDepth;
  readonly observe?: Observe;
}

export interface EncoderOutput {
  /** [B, …, stem channels] */
  readonly stem: Tensor;
  /** Every stage but the last as a map [B, …grid, C], the finest first. */
  readonly maps: readonly Tensor[];
  /** Class tokens of the last stage, [B, C]. */
  readonly classTokens: Tensor;
  /** Patches of the last stage, [B, …grid, C]. */
  readonly patches: Tensor;
}

/** The two parts of rows: class tokens [B, C] and patches [B, …grid, C]. */
function parts(rows: Tensor, { batch, grid }: TokenShape): [Tensor, Tensor] {
  const n = cells(grid);
  const [classTokens, patches] = split(rows, [batch, batch * n] as const);
  return [classTokens, reshape(patches, [batch, ...grid, rows.shape[1]!])];
}

/** The grids of the stages for the size that the position embeddings are made for. */
function nativeGrids({ config, modality }: Pass): number[][] {
  const size = modality === '2D' ? config.size2D : config.size3D;
  return stageGrids(modality, size, config.encoder.dims.length);
}

/** Options that a pass has for the block `name` (`module` in the reference). */
function optionsOf(
  { stochasticDepth, observe }: Pass,
  name: string,
  module: string,
): Pick<BlockOptions, 'keep' | 'observe'> {
  return {
    keep: stochasticDepth && { attention: stochasticDepth(name, 'attention'), mlp: stochasticDepth(name, 'mlp') },
    observe: observe && ((part, value) => observe(part ? `${module}.${part}` : module, value)),
  };
}

/**
 * The encoder (paper section 3.2): a convolutional stem and four stages of patch embedding, position embedding, blocks.
 * @param images [B, H, W, 3] or [B, D, H, W, 1]; grey pictures may have one channel, which counts for all three
 */
export function encode(pass: Pass, images: Tensor): EncoderOutput {
  const { config, modality } = pass;
  const { depths, heads, reductions } = config.encoder;
  const weights = scope(pass.weights, 'backbone.transformer');
  const convOf = (name: string) => ({ weight: weights(`${name}.conv.weight`), norm: normOf(weights, `${name}.norm`) });
  const batch = images.shape[0]!;
  const grids = stageGrids(modality, images.shape.slice(1, -1), depths.length);
  const native = nativeGrids(pass);

  const stemParameters = convOf(`patch_embed${modality}0`);
  const grey = modality === '2D' && images.shape[3] === 1;
  const stemWeight = grey ? greyKernel(stemParameters.weight) : stemParameters.weight;
  const stem = convBlock(images, { ...stemParameters, weight: stemWeight }, stemStrides[modality], false);

  pass.observe?.(`backbone.transformer.patch_embed${modality}0`, () => stem);

  let map = stem;
  let classTokens = reshape(weights('cls_tokens1'), [1, config.encoder.dims[0]!]);
  const maps: Tensor[] = [];
  depths.forEach((depth, stage) => {
    const shape = { modality, batch, grid: grids[stage]! };
    const embedded = convBlock(
      map,
      convOf(`patch_embed${modality}${stage + 1}.proj`),
      shape.grid.map(() => 2),
    );
    pass.observe?.(`backbone.transformer.patch_embed${modality}${stage + 1}.proj`, () => embedded);
    if (stage > 0) classTokens = linear(classTokens, linearOf(weights, `cls_tokens${stage + 1}`));
    const positions = resizePositions(
      weights(`pos_embed${modality}${stage + 1}`),
      modality,
      native[stage]!,
      shape.grid,
    );
    let x = tokens(classTokens, [embedded], positions);
    for (let i = 0; i < depth; i++) {
      const name = `block${stage + 1}.${i}`;
      x = block(x, scope(weights, name), shape, {
        heads: heads[stage]!,
        reduction: reductions[stage]!,
        qkvBias: true,
        epsilon: 1e-6,
        ...optionsOf(pass, name, `backbone.transformer.${name}`),
      });
    }
    [classTokens, map] = parts(x, shape);
    maps.push(map);
  });
  return { stem, maps: maps.slice(0, -1), classTokens, patches: map };
}

/**
 * The decoder (paper section 3.3): three stages of upsampling, skip connection, position embedding, blocks. Only the
 * class token leaves it, so the last block computes nothing else.
 * @returns features [B, C], C = `featureLength(config)`
 */
export function decode(pass: Pass, encoded: EncoderOutput): Tensor {
  const { config, modality } = pass;
  const { depths, heads, reductions } = config.decoder;
  const weights = scope(pass.weights, 'backbone');
  const native = nativeGrids(pass);
  let { classTokens, patches } = encoded;
  const batch = classTokens.shape[0]!;
  depths.forEach((depth, stage) => {
    const level = depths.length - 1 - stage;
    const embedding = linearOf(weights, `DecEmbed${modality}${stage}.proj`);
    const rows = reshape(patches, [-1, patches.shape[patches.rank - 1]!]);
    const upsampled = upsample(rows, embedding.weight, embedding.bias, batch, patches.shape.slice(1, -1));
    classTokens = linear(classTokens, linearOf(weights, `cls_tokens${stage}`));
    const shape = { modality, batch, grid: upsampled.shape.slice(1, -1) };
    const positions = resizePositions(weights(`DecPosEmbed${modality}${stage}`), modality, native[level]!, shape.grid);
    let x = tokens(classTokens, [upsampled, encoded.maps[level]!], positions);
    for (let i = 0; i < depth; i++) {
      const name = `Decblock${stage}.${i}`;
      const last = stage === depths.length - 1 && i === depth - 1;
      x = block(x, scope(weights, name), shape, {
        heads: heads[stage]!,
        reduction: reductions[stage]!,
        qkvBias: false,
        epsilon: 1e-5,
        ...optionsOf(pass, name, `backbone.${name}`),
        classOnly: last,
      });
      if (last) classTokens = x;
    }
    if (x !== classTokens) [classTokens, patches] = parts(x, shape);
  });
  return layerNorm(classTokens, normOf(weights, 'norm'), 1e-5);
}

/** Encoder and decoder: images to features [B, C]. */
export function backbone(pass: Pass, images: Tensor): Tensor {
  return decode(pass, encode(pass, images));
}
