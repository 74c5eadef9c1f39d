import type { Modality } from '../../protocol/modality.ts';
import { reshape, split, type Tensor } from '../engine/ops/index.ts';
import { type BlockOptions, block, type Observe, type TokenShape } from './block.ts';
import type { BackboneConfig } from './config.ts';
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
  readonly config: BackboneConfig;
  /** By the names of pre-training's network. */
  readonly weights: Weights;
  readonly modality: Modality;
  readonly stochasticDepth?: StochasticDepth;
  readonly observe?: Observe;
  /** Elements from which on gradients are computed piece by piece, to save memory (see `convBlock`, `mlpBlock`). Default: at once. */
  readonly pieceSize?: number;
}

export interface EncoderMaps {
  /** [B, …, stem channels] */
  readonly stem: Tensor;
  /** Every stage but the last as a map [B, …grid, C], the finest first. */
  readonly maps: readonly Tensor[];
  /** Patches of the last stage, [B, …grid, C]. */
  readonly patches: Tensor;
}

export interface EncoderOutput extends EncoderMaps {
  /** Class tokens of the last stage, [B, C]. */
  readonly classTokens: Tensor;
}

/** Tokens between stages: class tokens [B, C], where the network has them, and patches [B, …grid, C]. */
interface Tokens {
  readonly classTokens: Tensor | undefined;
  readonly patches: Tensor;
}

/** The two parts of rows. */
function parts(rows: Tensor, { batch, grid, classTokens }: TokenShape): Tokens {
  const shape = [batch, ...grid, rows.shape[1]!];
  if (classTokens === 0) return { classTokens: undefined, patches: reshape(rows, shape) };
  const [classRows, patches] = split(rows, [batch, batch * cells(grid)] as const);
  return { classTokens: classRows, patches: reshape(patches, shape) };
}

/** The grids of the stages at the size of the position embeddings. */
function nativeGrids({ config, modality }: Pass): number[][] {
  const size = modality === '2D' ? config.size2D : config.size3D;
  return stageGrids(modality, size, config.encoder.dims.length);
}

/** Options of a pass for the block `name` (`module` in the reference). */
function optionsOf(
  { stochasticDepth, observe, pieceSize }: Pass,
  name: string,
  module: string,
): Pick<BlockOptions, 'keep' | 'observe' | 'pieceSize'> {
  return {
    pieceSize,
    keep: stochasticDepth && { attention: stochasticDepth(name, 'attention'), mlp: stochasticDepth(name, 'mlp') },
    observe: observe && ((part, value) => observe(part ? `${module}.${part}` : module, value)),
  };
}

/**
 * The encoder (as in the paper): a convolutional stem and four stages of patch embedding, position embedding, blocks.
 * @param images [B, H, W, 3] or [B, D, H, W, 1] (other numbers of channels where the stem's kernel has them); grey pictures may have
 * one channel, which counts for all three
 */
export function encode(pass: Pass, images: Tensor): EncoderOutput {
  const first = reshape(pass.weights('backbone.transformer.cls_tokens1'), [1, pass.config.encoder.dims[0]!]);
  const { classTokens, ...maps } = encodeFrom(pass, images, first);
  return { ...maps, classTokens: classTokens! };
}

/** The encoder without class tokens. Position embeddings have rows for patches alone. */
export function encodeMaps(pass: Pass, images: Tensor): EncoderMaps {
  return encodeFrom(pass, images, undefined);
}

/** @param firstTokens class tokens of the first stage, [1, C] */
function encodeFrom(pass: Pass, images: Tensor, firstTokens: Tensor | undefined): EncoderMaps & Tokens {
  const { config, modality } = pass;
  const { depths, heads, reductions } = config.encoder;
  const weights = scope(pass.weights, 'backbone.transformer');
  const convOf = (name: string) => ({ weight: weights(`${name}.conv.weight`), norm: normOf(weights, `${name}.norm`) });
  const batch = images.shape[0]!;
  const grids = stageGrids(modality, images.shape.slice(1, -1), depths.length);
  const native = nativeGrids(pass);

  const stemParameters = convOf(`patch_embed${modality}0`);
  const grey = images.shape.at(-1) === 1 && stemParameters.weight.shape.at(-2) !== 1;
  const stemWeight = grey ? greyKernel(stemParameters.weight) : stemParameters.weight;
  const { pieceSize } = pass;
  const stem = convBlock(images, { ...stemParameters, weight: stemWeight }, stemStrides[modality], {
    differentiateInput: false,
    pieceSize,
  });

  pass.observe?.(`backbone.transformer.patch_embed${modality}0`, () => stem);

  let map = stem;
  let classTokens = firstTokens;
  const maps: Tensor[] = [];
  depths.forEach((depth, stage) => {
    const shape: TokenShape = { modality, batch, grid: grids[stage]!, classTokens: firstTokens ? 1 : 0 };
    const embedded = convBlock(
      map,
      convOf(`patch_embed${modality}${stage + 1}.proj`),
      shape.grid.map(() => 2),
      { pieceSize },
    );
    pass.observe?.(`backbone.transformer.patch_embed${modality}${stage + 1}.proj`, () => embedded);
    if (stage > 0) classTokens = classTokens && linear(classTokens, linearOf(weights, `cls_tokens${stage + 1}`));
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
    ({ classTokens, patches: map } = parts(x, shape));
    maps.push(map);
  });
  return { stem, maps: maps.slice(0, -1), classTokens, patches: map };
}

/**
 * A stage of the decoder (as in the paper): upsampling, skip connection, position embedding, blocks.
 * @param skip the encoder's map of the stage's grid
 * @param classOnly whether only the class tokens' rows leave the last block
 */
function decodeStage(pass: Pass, stage: number, before: Tokens, skip: Tensor, classOnly: boolean): Tokens {
  const { config, modality } = pass;
  const { depths, heads, reductions } = config.decoder;
  const weights = scope(pass.weights, 'backbone');
  const { patches } = before;
  const batch = patches.shape[0]!;
  const embedding = linearOf(weights, `DecEmbed${modality}${stage}.proj`);
  const rows = reshape(patches, [-1, patches.shape[patches.rank - 1]!]);
  const upsampled = upsample(rows, embedding, { batch, grid: patches.shape.slice(1, -1) });
  const classTokens = before.classTokens && linear(before.classTokens, linearOf(weights, `cls_tokens${stage}`));
  const shape: TokenShape = {
    modality,
    batch,
    grid: upsampled.shape.slice(1, -1),
    classTokens: classTokens ? 1 : 0,
  };
  const native = nativeGrids(pass)[depths.length - 1 - stage]!;
  const positions = resizePositions(weights(`DecPosEmbed${modality}${stage}`), modality, native, shape.grid);
  let x = tokens(classTokens, [upsampled, skip], positions);
  const depth = depths[stage]!;
  for (let i = 0; i < depth; i++) {
    const name = `Decblock${stage}.${i}`;
    x = block(x, scope(weights, name), shape, {
      heads: heads[stage]!,
      reduction: reductions[stage]!,
      qkvBias: false,
      epsilon: 1e-5,
      ...optionsOf(pass, name, `backbone.${name}`),
      classOnly: classOnly && i === depth - 1,
    });
  }
  return classOnly ? { classTokens: x, patches } : parts(x, shape);
}

/**
 * The decoder (as in the paper) of pre-training. Only the class token leaves it, so the last block computes nothing else.
 * @returns features [B, C], C = `featureLength(config)`
 */
export function decode(pass: Pass, encoded: EncoderOutput): Tensor {
  const stages = pass.config.decoder.depths.length;
  const last = pass.config.decoder.depths.reduce<Tokens>(
    (before, _, stage) => decodeStage(pass, stage, before, encoded.maps[stages - 1 - stage]!, stage === stages - 1),
    encoded,
  );
  return layerNorm(last.classTokens!, normOf(scope(pass.weights, 'backbone'), 'norm'), 1e-5);
}

/**
 * The decoder without class tokens.
 * @returns the map of each stage [B, …grid, C], the coarsest first
 */
export function decodeMaps(pass: Pass, { maps, patches }: EncoderMaps): Tensor[] {
  const stages = pass.config.decoder.depths.length;
  const decoded: Tensor[] = [];
  for (let stage = 0; stage < stages; stage++) {
    const before = { classTokens: undefined, patches: decoded.at(-1) ?? patches };
    decoded.push(decodeStage(pass, stage, before, maps[stages - 1 - stage]!, false).patches);
  }
  return decoded;
}

/** Encoder and decoder: images to features [B, C]. */
export function backbone(pass: Pass, images: Tensor): Tensor {
  return decode(pass, encode(pass, images));
}
