import type { Modality } from '../../../protocol/modality.ts';
import { batchMatMul, concat, constant, differentiable, reshape, rows, type Tensor } from '../../engine/ops/index.ts';
import { cells } from '../geometry.ts';
import { resizeMatrix } from '../positions.ts';

/**
 * Position embeddings for another grid than they were made for: the class token's row stays, the patches' are interpolated
 * along one axis after the other (positions.ts). Linear, so the gradient is the transposed maps in reverse.
 * @param positions [1, 1 + cells(source), C]
 * @returns [1, 1 + cells(target), C]
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
    return batchMatMul(reshape(matrix, [1, to, from]), x, transposed);
  };
  const axes = source.map((_, axis) => axis).filter((axis) => source[axis] !== target[axis]);
  const split = (all: Tensor) => [rows(all, 0, 1), rows(all, 1, all.shape[0]! - 1)] as const;
  return differentiable(
    [positions],
    () => {
      const [token, patches] = split(reshape(positions, [1 + cells(source), channels]));
      const resized = axes.reduce((x, axis) => along(x, axis, false), patches);
      const all = concat([token, reshape(resized, [cells(target), channels])], 0);
      return reshape(all, [1, 1 + cells(target), channels]);
    },
    (dy) => {
      const [dToken, dPatches] = split(reshape(dy, [1 + cells(target), channels]));
      const dSource = axes.reduceRight((x, axis) => along(x, axis, true), dPatches);
      const all = concat([dToken, reshape(dSource, [cells(source), channels])], 0);
      return [reshape(all, positions.shape)];
    },
  );
}
