import { lookKey } from '../../protocol/viewer/displayNames.ts';
import type { LayerInfo } from '../../protocol/viewer/layers.ts';
import type { OpenedImage } from '../../protocol/viewer/page.ts';
import type { ImageSettings } from '../../protocol/viewer/settings.ts';
import type { ViewerState } from './state.ts';

/** What is kept of the view for the next time. */
export function toSettings(
  state: ViewerState,
  layers: readonly LayerInfo[],
  { volume }: Pick<OpenedImage, 'volume'>,
): ImageSettings {
  const { place, window, alone, smooth, crosshair, linked, colors, looks, compare } = state;
  const pathOf = (layer: number) => layers.find((one) => one.layer === layer)?.path ?? '';
  const kept = layers.flatMap((info) => {
    const look = looks[info.layer];
    return look ? [[lookKey(info), { ...look }] as const] : [];
  });
  return {
    volume,
    place: [place[0], place[1], place[2]],
    window: window && { low: window.low, high: window.high },
    alone,
    smooth,
    crosshair,
    linked,
    colors,
    looks: Object.fromEntries(kept),
    added: layers.filter(({ added }) => added).map(({ path }) => path),
    compare: compare && { reference: pathOf(compare.reference), prediction: pathOf(compare.prediction) },
  };
}

/** The look of a layer when the image was closed. */
export function lookFrom(settings: ImageSettings | undefined, info: LayerInfo) {
  return settings?.looks[lookKey(info)];
}

/** The comparison of then, once both its layers are there. */
export function comparisonFrom(
  settings: ImageSettings | undefined,
  layers: readonly LayerInfo[],
): ViewerState['compare'] {
  const find = (path: string | undefined) => layers.find((one) => one.layer > 0 && one.path === path)?.layer;
  const [reference, prediction] = [find(settings?.compare?.reference), find(settings?.compare?.prediction)];
  return reference !== undefined && prediction !== undefined ? { reference, prediction } : undefined;
}
