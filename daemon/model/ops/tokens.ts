import { broadcastTo, type Tensor } from '@tensorflow/tfjs-core';
import { cells } from '../geometry.ts';
import { differentiable } from './differentiable.ts';
import { add, concat, reshape, slice, sum } from './math.ts';

/**
 * Class tokens and patches of a batch with their position embeddings, as rows: class rows of all images first, then patch rows,
 * so that either part is a contiguous slice.
 * @param classTokens [B, C], or [1, C] for the same in every image
 * @param patches [B, …grid, C]; several are added (the decoder's skip connection)
 * @param positions [1, 1 + N, C]
 * @returns [B (1 + N), C]
 */
export function tokens(classTokens: Tensor, patches: readonly Tensor[], positions: Tensor): Tensor {
  const [first] = patches as [Tensor];
  const batch = first.shape[0]!;
  const channels = first.shape[first.rank - 1]!;
  const n = cells(first.shape.slice(1, -1));
  const shared = classTokens.shape[0] === 1 && batch > 1;
  return differentiable(
    [classTokens, positions, ...patches],
    () => {
      const rows = reshape(positions, [1 + n, channels]);
      const classes = add(classTokens, slice(rows, 0, 1));
      const image = patches.map((p) => reshape(p, [batch, n, channels])).reduce((a, b) => add(a, b));
      const placed = add(image, reshape(slice(rows, 1, n), [1, n, channels]));
      return concat(
        [shared ? broadcastTo(classes, [batch, channels]) : classes, reshape(placed, [batch * n, channels])],
        0,
      );
    },
    (dy) => {
      const dClasses = slice(dy, 0, batch);
      const dPatches = reshape(slice(dy, batch, batch * n), [batch, n, channels]);
      const dClass = sum(dClasses, [0], true);
      const dPositions = concat([dClass, sum(dPatches, [0])], 0);
      return [
        shared ? dClass : dClasses,
        reshape(dPositions, [1, 1 + n, channels]),
        ...patches.map((p) => reshape(dPatches, p.shape)),
      ];
    },
  );
}
