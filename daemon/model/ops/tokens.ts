import { add, concat, differentiable, reshape, rows, sum, type Tensor, tile } from '../../engine/ops/index.ts';
import { cells } from '../geometry.ts';

/**
 * Class tokens and patches of a batch with their position embeddings, as rows: class rows of all images first, then patch rows,
 * so that either part is a contiguous slice.
 * @param classTokens [B, C], or [1, C] for the same in every image; without them `positions` has rows for patches alone
 * @param patches [B, …grid, C]; several are added (the decoder's skip connection)
 * @param positions [1, 1 + N, C], or [1, N, C] without class tokens
 * @returns [B (1 + N), C], or [B N, C]
 */
export function tokens(classTokens: Tensor | undefined, patches: readonly Tensor[], positions: Tensor): Tensor {
  if (!classTokens) return patchTokens(patches, positions);
  const [first] = patches as [Tensor];
  const batch = first.shape[0]!;
  const channels = first.shape[first.rank - 1]!;
  const n = cells(first.shape.slice(1, -1));
  const shared = classTokens.shape[0] === 1 && batch > 1;
  return differentiable(
    [classTokens, positions, ...patches],
    () => {
      const places = reshape(positions, [1 + n, channels]);
      const classes = add(classTokens, rows(places, 0, 1));
      const image = patches.map((p) => reshape(p, [batch, n, channels])).reduce((a, b) => add(a, b));
      const placed = add(image, reshape(rows(places, 1, n), [1, n, channels]));
      return concat([shared ? tile(classes, [batch, 1]) : classes, reshape(placed, [batch * n, channels])], 0);
    },
    (dy) => {
      const dClasses = rows(dy, 0, batch);
      const dPatches = reshape(rows(dy, batch, batch * n), [batch, n, channels]);
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

function patchTokens(patches: readonly Tensor[], positions: Tensor): Tensor {
  const [first] = patches as [Tensor];
  const batch = first.shape[0]!;
  const channels = first.shape[first.rank - 1]!;
  const n = cells(first.shape.slice(1, -1));
  return differentiable(
    [positions, ...patches],
    () => {
      const image = patches.map((p) => reshape(p, [batch, n, channels])).reduce((a, b) => add(a, b));
      return reshape(add(image, reshape(positions, [1, n, channels])), [batch * n, channels]);
    },
    (dy) => {
      const dPatches = reshape(dy, [batch, n, channels]);
      return [sum(dPatches, [0], true), ...patches.map((p) => reshape(dy, p.shape))];
    },
  );
}
