import {
  add,
  dense,
  differentiable,
  matMul,
  reshape,
  sumRows,
  type Tensor,
  tile,
  transpose,
} from '../../engine/ops/index.ts';
import { cells } from '../geometry.ts';

/** Axes of [B · g₀, g₁, …, 2, …, 2, 2 · C] that put each cell's doubled part beside it: [B · g₀, 2, g₁, 2, …]. */
function scatterOrder(axes: number): number[] {
  if (axes === 1) return [0, 1];
  return [0, ...Array.from({ length: axes - 1 }, (_, i) => [axes + i, i + 1]).flat(), 2 * axes - 1];
}

/** [B · g₀, g₁, …, 2, …, 2 · C] */
function partsShape(batch: number, grid: readonly number[], out: number): number[] {
  const [first, ...rest] = grid as [number, ...number[]];
  return [batch * first, ...rest, ...rest.map(() => 2), 2 * out];
}

/**
 * Transposed convolution with kernel 2 and stride 2 (the paper's decoder): each cell becomes a block of 2ⁿ cells, a dense layer.
 * @param x rows of patches [B · cells(grid), C]
 * @param kernel weight [C, 2, …, C'] (our layout of transposed convolutions), bias [C']
 * @param skip [B, 2 · grid…, C'], added to the result
 * @returns [B, 2 · grid…, C']
 */
export function upsample(
  x: Tensor,
  { weight, bias }: { readonly weight: Tensor; readonly bias: Tensor },
  { batch, grid }: { readonly batch: number; readonly grid: readonly number[] },
  skip?: Tensor,
): Tensor {
  const [inputs, out] = [weight.shape[0]!, weight.shape[weight.rank - 1]!];
  const matrix = (w: Tensor) => reshape(w, [inputs, w.size / inputs]);
  const parts = partsShape(batch, grid, out);
  const order = scatterOrder(grid.length);
  const scattered = order.map((axis) => parts[axis]!);
  const inverse = order.map((_, axis) => order.indexOf(axis));
  return differentiable(
    skip ? [x, weight, bias, skip] : [x, weight, bias],
    (save) => {
      save(x, weight);
      const biases = tile(bias, [2 ** grid.length]);
      const y = dense(x, matrix(weight), biases, { transposed: true });
      const map = reshape(transpose(reshape(y, parts), order), [batch, ...grid.map((length) => 2 * length), out]);
      return skip ? add(map, skip) : map;
    },
    (dy, [x, weight]) => {
      const dParts = transpose(reshape(dy, scattered), inverse);
      const dRows = reshape(dParts, [batch * cells(grid), weight!.size / inputs]);
      return [
        matMul(dRows, matrix(weight!), false, true),
        reshape(matMul(x!, dRows, true), weight!.shape),
        sumRows(reshape(dy, [dy.size / out, out])),
        ...(skip ? [dy] : []),
      ];
    },
  );
}
