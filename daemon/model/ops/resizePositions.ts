import type { Modality } from '../../../protocol/modality.ts';
import {
  concat,
  constant,
  differentiable,
  exactBatchMatMul,
  reshape,
  rows,
  type Tensor,
} from '../../engine/ops/index.ts';
import { cells } from '../geometry.ts';
import { resizeMatrix } from '../positions.ts';

/**
 * Position embeddings for another grid than they were made for: the class token's row, if there is one, stays, the patches' are
 * interpolated along one axis after the other (positions.ts). Linear, so the gradient is the transposed maps in reverse.
 * @param positions [1, m + cells(source), C] (m = 1, or 0 without class tokens)
 * @returns [1, m + cells(target), C]
 */
export function resizePositions(
  positions: Tensor,
  modality: Modality,
  source: readonly number[],
  target: readonly number[],
): Tensor {
  if (source.every((length, axis) => length === target[axis])) return positions;
  const channels = positions.shape[2]!;
  /** Applies `axis`'s matrix to patches whose earlier axes are resized and whose later ones are not (or the reverse). */
  const along = (patches: Tensor, axis: number, transposed: boolean) => {
    const [from, to] = [source[axis]!, target[axis]!];
    const matrix = constant(resizeMatrix(modality, from, to), [to, from]);
    const before = cells(target.slice(0, axis));
    const after = cells(source.slice(axis + 1)) * channels;
    const x = reshape(patches, [before, transposed ? to : from, after]);
    return exactBatchMatMul(reshape(matrix, [1, to, from]), x, transposed);
  };
  const axes = source.map((_, axis) => axis).filter((axis) => source[axis] !== target[axis]);
  const classRows = positions.shape[1]! - cells(source);
  /** Maps the patches of [1, m + n, C] and leaves the class token's row as it is. */
  const patchwise = (all: Tensor, map: (patches: Tensor) => Tensor, n: number) => {
    const flat = reshape(all, [all.shape[1]!, channels]);
    const patches = classRows > 0 ? rows(flat, classRows, flat.shape[0]! - classRows) : flat;
    const mapped = reshape(map(patches), [n, channels]);
    const joined = classRows > 0 ? concat([rows(flat, 0, classRows), mapped], 0) : mapped;
    return reshape(joined, [1, classRows + n, channels]);
  };
  return differentiable(
    [positions],
    () => patchwise(positions, (x) => axes.reduce((y, axis) => along(y, axis, false), x), cells(target)),
    (dy) => [patchwise(dy, (x) => axes.reduceRight((y, axis) => along(y, axis, true), x), cells(source))],
  );
}
