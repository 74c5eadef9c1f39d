import type { Modality } from '../../protocol/modality.ts';
import { concat, reshape, rows, sub, type Tensor, tile } from '../engine/ops/index.ts';
import { cells } from './geometry.ts';
import { attention, classAttention } from './ops/attention.ts';
import { layerNorm } from './ops/layerNorm.ts';
import { linear, linearResidual } from './ops/linear.ts';
import { mlpBlock } from './ops/mlp.ts';
import { reducedGrid, spatialReduction } from './ops/spatialReduction.ts';
import { linearOf, linearWithoutBiasOf, normOf, type Weights } from './weights.ts';

/** Receives intermediate values under the reference's module names. Call `value` to make the tensor. */
export type Observe = (module: string, value: () => Tensor) => void;

/** The layout of a block's rows: class rows of the batch first, if it has class tokens, then the patch rows of its images. */
export interface TokenShape {
  readonly modality: Modality;
  readonly batch: number;
  readonly grid: readonly number[];
  /** Class tokens of an image. */
  readonly classTokens: 0 | 1;
}

export interface BlockOptions {
  readonly heads: number;
  /** Spatial reduction of keys and values; 1: none. */
  readonly reduction: number;
  /** Encoder: queries, keys and values have biases. Decoder: they do not. */
  readonly qkvBias: boolean;
  /** ε of the two norms that begin the branches. The norm after spatial reduction has 1e-5. */
  readonly epsilon: number;
  /** Stochastic depth: factors [B] for the two branches, 0 where an image skips one. */
  readonly keep?: { readonly attention: Tensor; readonly mlp: Tensor };
  /** Hidden values of the MLP from which on its gradient is computed piece by piece (see `mlpBlock`). */
  readonly pieceSize?: number;
  /** Computes the output of class tokens alone: patches serve as keys and values. */
  readonly classOnly?: boolean;
  /** Receives spatial reduction (patch rows), the attention of class tokens to patches [B, m], both branches without residual, and the block's output (module ''). */
  readonly observe?: Observe;
}

/** Factors of images [B] as factors of their rows [B (m + n), 1], class rows first. */
function rowFactors(factors: Tensor, classTokens: 0 | 1, patches: number): Tensor {
  const column = reshape(factors, [-1, 1]);
  const batch = column.shape[0]!;
  if (patches === 0) return column;
  const ofPatches = reshape(tile(column, [1, patches]), [batch * patches, 1]);
  return classTokens === 0 ? ofPatches : concat([column, ofPatches], 0);
}

/**
 * A transformer block (as in the paper): x + Attention(LN(x)), then x + MLP(LN(x)).
 * @param x rows [B (m + cells(grid)), C], m = `shape.classTokens`
 * @returns the same, or class rows [B, C] if `classOnly`
 */
export function block(x: Tensor, weights: Weights, shape: TokenShape, options: BlockOptions): Tensor {
  const { batch, grid, modality, classTokens } = shape;
  const { heads, reduction, epsilon, observe, classOnly = false } = options;
  const dense = options.qkvBias ? linearOf : linearWithoutBiasOf;
  const classRows = (all: Tensor) => (classOnly ? rows(all, 0, batch) : all);
  const queries = classOnly ? 0 : cells(grid);
  const keep = options.keep && {
    attention: rowFactors(options.keep.attention, classTokens, queries),
    mlp: rowFactors(options.keep.mlp, classTokens, queries),
  };

  const y = layerNorm(x, normOf(weights, 'norm1'), epsilon);
  let source = y;
  if (reduction > 1) {
    const kernel = linearOf(weights, `attn.sr${modality}`);
    const reduced = spatialReduction(y, kernel, { batch, grid, factor: reduction });
    observe?.(`attn.sr${modality}`, () => rows(reduced, classTokens * batch, reduced.shape[0]! - classTokens * batch));
    source = layerNorm(reduced, normOf(weights, 'attn.norm'), 1e-5);
  }
  const q = linear(classRows(y), dense(weights, 'attn.q'));
  const kv = linear(source, dense(weights, 'attn.kv'));
  const keys = cells(reducedGrid(grid, reduction));
  const attended = attention(q, kv, { batch, heads, queries, keys, classTokens });
  if (classTokens > 0) observe?.('attn.class', () => classAttention(q, kv, { batch, heads, queries, keys }));
  const middle = linearResidual(attended, linearOf(weights, 'attn.proj'), classRows(x), keep?.attention);
  const mlp = { norm: normOf(weights, 'norm2'), fc1: linearOf(weights, 'mlp.fc1'), fc2: linearOf(weights, 'mlp.fc2') };
  const result = mlpBlock(middle, mlp, epsilon, { keep: keep?.mlp, pieceSize: options.pieceSize });
  observe?.('attn', () => sub(middle, classRows(x)));
  observe?.('mlp', () => sub(result, middle));
  observe?.('', () => result);
  return result;
}
