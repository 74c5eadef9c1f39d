import { startAround } from '../../../data/loader/labelled/patchMaker.ts';
import type { PreparedSummary, Window } from '../../../data/loader/labelled/types.ts';
import type { Size3 } from '../../../data/prepared/types.ts';

/** One window a case, around the middle of its labelled voxels. */
export function middleWindow(number: number, { middle, size }: PreparedSummary, patch: Size3): Window {
  return { case: number, start: startAround(middle, size, patch) };
}

/** Windows side by side that cover a case, so that each voxel is seen once. */
export function coveringWindows(number: number, { size }: PreparedSummary, patch: Size3): Window[] {
  const starts = (axis: 0 | 1 | 2) =>
    Array.from({ length: Math.ceil(size[axis] / patch[axis]) }, (_, i) => {
      // A case that is smaller than a patch lies in its middle, as in training.
      return size[axis] < patch[axis] ? -Math.floor((patch[axis] - size[axis]) / 2) : i * patch[axis];
    });
  return starts(0).flatMap((z) =>
    starts(1).flatMap((y) => starts(2).map((x): Window => ({ case: number, start: [z, y, x] }))),
  );
}
