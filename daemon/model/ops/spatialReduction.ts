import { UnimissError } from '../../../protocol/errors.ts';
import {
  after,
  concat,
  dense,
  differentiable,
  matMul,
  pad,
  reshape,
  rows,
  slice,
  sumRows,
  type Tensor,
  transpose,
} from '../../engine/ops/index.ts';
import { cells } from '../geometry.ts';

/** The reduced grid, and the part of the grid that its kernels cover. @throws UnimissError 'config' if no kernel fits */
function coverage(grid: readonly number[], factor: number): { reduced: number[]; covered: number[] } {
  const reduced = grid.map((length) => Math.floor(length / factor));
  if (reduced.includes(0))
    throw new UnimissError('config', `no kernel of ${factor} fits into a grid of ${grid.join('×')} patches`, {
      place: 'image size',
      remedy: 'Use larger images, or a model with smaller spatial reductions.',
    });
  return { reduced, covered: reduced.map((length) => length * factor) };
}

export function reducedGrid(grid: readonly number[], factor: number): number[] {
  return coverage(grid, factor).reduced;
}

/** [B · reduced₀, factor, reduced₁, factor, …, factor · C]: one transposition of this shape gathers the blocks. */
function blockShape(batch: number, reduced: readonly number[], factor: number, channels: number): number[] {
  return reduced.flatMap((length, axis) => {
    const last = axis === reduced.length - 1;
    return [axis === 0 ? batch * length : length, last ? factor * channels : factor];
  });
}

/** Cells first, then positions within the block. Not its own inverse. */
function gatherOrder(axes: number): number[] {
  const even = Array.from({ length: axes }, (_, i) => 2 * i);
  return [...even, ...even.map((i) => i + 1)];
}

/** [B · grid, C] → [B · reduced, factorⁿ · C]: each row is one kernel's input. */
function gatherBlocks(patches: Tensor, batch: number, grid: readonly number[], factor: number): Tensor {
  const channels = patches.shape[1]!;
  const { reduced, covered } = coverage(grid, factor);
  let x = reshape(patches, [batch, ...grid, channels]);
  const shape = [batch, ...covered, channels];
  if (cells(covered) < cells(grid))
    x = slice(
      x,
      shape.map(() => 0),
      shape,
    );
  const blocks = transpose(reshape(x, blockShape(batch, reduced, factor, channels)), gatherOrder(grid.length));
  return reshape(blocks, [batch * cells(reduced), factor ** grid.length * channels]);
}

/** The gradient of `gatherBlocks`: moves each row back to its place; 0 where no kernel reached. */
function scatterBlocks(blocks: Tensor, batch: number, grid: readonly number[], factor: number): Tensor {
  const channels = blocks.shape[1]! / factor ** grid.length;
  const { reduced, covered } = coverage(grid, factor);
  const order = gatherOrder(grid.length);
  const shape = blockShape(batch, reduced, factor, channels);
  const inverse = order.map((_, axis) => order.indexOf(axis));
  const gathered = reshape(
    blocks,
    order.map((axis) => shape[axis]!),
  );
  let x = reshape(transpose(gathered, inverse), [batch, ...covered, channels]);
  if (cells(covered) < cells(grid))
    x = pad(x, [[0, 0], ...grid.map((length, axis) => [0, length - covered[axis]!] as const), [0, 0]]);
  return reshape(x, [batch * cells(grid), channels]);
}

/**
 * Shrinks the patches for keys and values ("SR" in the paper): a convolution with kernel = stride = `factor`, which is a
 * dense layer on blocks of cells; a remainder that no kernel covers is dropped. Class rows, if there are any, pass unchanged.
 * @param x rows [B (m + cells(grid)), C], class rows first (m = 1, or 0 without class tokens)
 * @param kernel weight [factor, …, C, C'] in TensorFlow's layout, bias [C']
 * @returns [B (m + cells(reducedGrid(grid))), C'], class rows first (C' = C)
 */
export function spatialReduction(
  x: Tensor,
  { weight, bias }: { readonly weight: Tensor; readonly bias: Tensor },
  { batch, grid, factor }: { readonly batch: number; readonly grid: readonly number[]; readonly factor: number },
): Tensor {
  const out = weight.shape[weight.rank - 1]!;
  const matrix = (w: Tensor) => reshape(w, [w.size / out, out]);
  const classRows = x.shape[0]! - batch * cells(grid);
  const patchesOf = (all: Tensor) => (classRows > 0 ? rows(all, classRows, all.shape[0]! - classRows) : all);
  const withClassRows = (all: Tensor, patches: Tensor) =>
    classRows > 0 ? concat([rows(all, 0, classRows), patches], 0) : patches;
  const blocksOf = (all: Tensor) => gatherBlocks(patchesOf(all), batch, grid, factor);
  return differentiable(
    [x, weight, bias],
    (save) => {
      save(x, weight);
      const patches = dense(blocksOf(x), matrix(weight), bias, { transposed: true });
      return withClassRows(x, patches);
    },
    (dy, [x, weight]) => {
      const dPatches = patchesOf(dy);
      const blocks = blocksOf(after([dy], x!));
      const dBlocks = matMul(dPatches, matrix(weight!), false, true);
      return [
        withClassRows(dy, scatterBlocks(dBlocks, batch, grid, factor)),
        reshape(matMul(blocks, dPatches, true), weight!.shape),
        sumRows(dPatches),
      ];
    },
  );
}
