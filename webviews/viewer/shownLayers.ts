import type { LayerInfo } from '../../protocol/viewer/layers.ts';
import type { ShownCase } from '../../protocol/viewer/page.ts';
import type { ImageSettings } from '../../protocol/viewer/settings.ts';
import { firstLook } from './labelColors.ts';
import { comparisonFrom, lookFrom } from './remembered.ts';
import type { ViewerState } from './state.ts';

/** What changes of the state when layers come and go. */
type LooksAndComparison = Pick<ViewerState, 'looks' | 'compare'>;

/** A layer has come, or come again because its file has changed: it looks as before, as when the image was closed, or as usual. */
export function withLayer(
  { looks, compare }: ViewerState,
  info: LayerInfo,
  { layers, settings }: { readonly layers: readonly LayerInfo[]; readonly settings: ImageSettings | undefined },
): LooksAndComparison {
  const look = looks[info.layer] ?? lookFrom(settings, info) ?? firstLook(info);
  return { looks: { ...looks, [info.layer]: look }, compare: compare ?? comparisonFrom(settings, layers) };
}

export function withoutLayer({ looks: all, compare }: ViewerState, removed: number): LooksAndComparison {
  const { [removed]: _, ...looks } = all;
  const compared = compare?.reference === removed || compare?.prediction === removed;
  return { looks, compare: compared ? undefined : compare };
}

/** A comparison, whose layers are visible; undefined: none. */
export function withComparison({ looks: all }: ViewerState, compare: ViewerState['compare']): LooksAndComparison {
  const looks = { ...all };
  for (const layer of compare ? [compare.reference, compare.prediction] : []) {
    const look = looks[layer];
    if (look) looks[layer] = { ...look, visible: true };
  }
  return { looks, compare };
}

/** Reference and prediction of a case, at its errors. */
export function withCase(
  state: ViewerState,
  { reference, prediction, place }: NonNullable<ShownCase['compared']>,
): LooksAndComparison & Pick<ViewerState, 'place'> {
  return { ...withComparison(state, { reference, prediction }), place };
}

/** All overlays off; or on, where none is visible. */
export function toggled({ looks: all }: ViewerState): Pick<ViewerState, 'looks'> {
  const looks = Object.entries(all);
  const visible = !looks.some(([, look]) => look.visible);
  return { looks: Object.fromEntries(looks.map(([layer, look]) => [layer, { ...look, visible }])) };
}
