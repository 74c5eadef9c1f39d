import type { PlaneName } from '../../protocol/viewer/geometry.ts';
import type { LayerInfo } from '../../protocol/viewer/layers.ts';
import type { ValueRange } from '../../protocol/viewer/planes.ts';
import type { LoadedPlane } from '../../protocol/viewer/readPiece.ts';
import type { Picture, ShownLayer } from './paint.ts';
import type { PlaneLoaders } from './planeLoaders.ts';
import type { ValueWindow, ViewerState } from './state.ts';

/** Before the image's values are known. */
export const unknownRange: ValueRange = { low: 0, high: 1, ct: false };

/** What one of the three planes is painted from: the image's plane, and those of the visible overlays that are there. */
export function composePicture(
  name: PlaneName,
  { plane, window }: { readonly plane: LoadedPlane; readonly window: ValueWindow },
  { layers: all, loaders }: { readonly layers: readonly LayerInfo[]; readonly loaders: PlaneLoaders },
  { colors, looks, compare }: ViewerState,
): Picture {
  const layers = all.flatMap((info): ShownLayer[] => {
    const look = looks[info.layer];
    if (!look?.visible) return [];
    const own = info.layer === 0 ? plane : loaders.of(info.layer).get(name, plane.index, false);
    // A plane of another slice would lie at the wrong place.
    return own && own.index === plane.index ? [{ info, look, plane: own }] : [];
  });
  const find = (layer: number | undefined) => layers.find(({ info }) => info.layer === layer);
  const [reference, prediction] = [find(compare?.reference), find(compare?.prediction)];
  const compared = reference && prediction ? { reference, prediction } : undefined;
  return { plane, window, colors, layers, compared };
}

/** The extremes of one plane, for the time until the middle of the image has been read. */
export function rangeOf(plane: LoadedPlane | undefined): ValueRange {
  if (!plane) return unknownRange;
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const number of plane.numbers) {
    const value = number * plane.slope + plane.intercept;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low < high ? { low, high, ct: low < -500 } : unknownRange;
}
