import { agreementOf } from '../../protocol/evaluation/planeLabels.ts';
import type { ColorMapName } from '../../protocol/viewer/displayNames.ts';
import type { LayerInfo, LayerLook } from '../../protocol/viewer/layers.ts';
import type { LoadedPlane } from '../../protocol/viewer/readPiece.ts';
import { agreementColors } from '../shared/agreement.ts';
import { colorMap } from './colorMaps.ts';
import { colorTable } from './labelColors.ts';
import type { ValueWindow } from './state.ts';

/** An overlay of which the plane is there. */
export interface ShownLayer {
  readonly info: LayerInfo;
  readonly look: LayerLook;
  readonly plane: LoadedPlane;
}

/** What one picture is painted from. */
export interface Picture {
  readonly plane: LoadedPlane;
  readonly window: ValueWindow;
  readonly colors: ColorMapName;
  /** Drawn in this order, those of them that are visible. */
  readonly layers: readonly ShownLayer[];
  /** Reference and prediction, whose agreement is drawn instead of their labels. */
  readonly compared: { readonly reference: ShownLayer; readonly prediction: ShownLayer } | undefined;
}

/** Writes the image's pixels (red, green, blue, opacity). NaN is transparent: it is no value. */
export function paintImage(picture: Picture, data: Uint8ClampedArray): void {
  // A label map that is open itself is drawn as labels, on black.
  if (picture.layers.some(({ info }) => info.layer === 0)) for (let o = 3; o < data.length; o += 4) data[o] = 255;
  else if (picture.plane.kind === 'rgb') paintColors(picture, data);
  else paintValues(picture, data);
}

/** Writes the pixels of what lies over the image; they are not interpolated, since there is nothing between two labels. */
export function paintOverlays({ layers, compared }: Picture, data: Uint8ClampedArray): void {
  for (const layer of layers) {
    if (!layer.look.visible) continue;
    if (compared && (layer.info === compared.reference.info || layer.info === compared.prediction.info)) continue;
    if (layer.info.content.kind === 'values') paintHeat(layer, layer.info.content.range, data);
    else if (layer.look.style !== 'outline') paintLabels(layer, data);
  }
  if (compared) paintAgreement(compared.reference, compared.prediction, data);
}

function paintValues({ plane, window: { low, high }, colors }: Picture, data: Uint8ClampedArray): void {
  const { numbers, slope, intercept } = plane;
  const map = colorMap(colors);
  // 255 · (value − low) / (high − low), in the numbers as they are stored.
  const gain = (255 * slope) / (high - low);
  const offset = (255 * (intercept - low)) / (high - low);
  const pixels = plane.width * plane.height;
  for (let i = 0, o = 0; i < pixels; i++, o += 4) {
    const level = (numbers[i] ?? Number.NaN) * gain + offset;
    if (Number.isNaN(level)) continue;
    const m = 3 * (level <= 0 ? 0 : level >= 255 ? 255 : Math.round(level));
    data[o] = map[m] ?? 0;
    data[o + 1] = map[m + 1] ?? 0;
    data[o + 2] = map[m + 2] ?? 0;
    data[o + 3] = 255;
  }
}

function paintColors({ plane, window: { low, high } }: Picture, data: Uint8ClampedArray): void {
  const gain = 255 / (high - low);
  for (let i = 0, o = 0; o < data.length; i += 3, o += 4) {
    for (const c of [0, 1, 2]) data[o + c] = ((plane.numbers[i + c] ?? 0) - low) * gain;
    data[o + 3] = 255;
  }
}

const tables = new WeakMap<LayerLook, Float32Array>();

function paintLabels({ info, look, plane }: ShownLayer, data: Uint8ClampedArray): void {
  if (info.content.kind !== 'labels') return;
  const table = tables.get(look) ?? colorTable(info.content.labels, look);
  tables.set(look, table);
  const { numbers, slope, intercept } = plane;
  for (let i = 0, o = 0; i < numbers.length; i++, o += 4) {
    const number = numbers[i] ?? 0;
    if (number === 0 && intercept === 0) continue;
    const t = 4 * (Math.round(number * slope + intercept) & 0xffff);
    const opacity = (table[t + 3] ?? 0) * look.opacity;
    if (opacity > 0) mix(data, o, table, t, opacity);
  }
}

/** Values such as probabilities: the higher, the brighter and the less transparent. */
function paintHeat({ look, plane }: ShownLayer, range: ValueWindow, data: Uint8ClampedArray): void {
  const map = colorMap('hot');
  for (let i = 0, o = 0; i < plane.numbers.length; i++, o += 4) {
    const value = (plane.numbers[i] ?? Number.NaN) * plane.slope + plane.intercept;
    const share = (value - range.low) / (range.high - range.low);
    if (!(share > 0)) continue;
    const m = 3 * Math.min(255, 64 + Math.round(191 * share));
    mix(data, o, map, m, Math.min(1, share) * look.opacity * 1.5);
  }
}

function paintAgreement(reference: ShownLayer, prediction: ShownLayer, data: Uint8ClampedArray): void {
  // A label that is off in one of them only would look like an error everywhere.
  const off = new Set([...reference.look.hidden, ...prediction.look.hidden]);
  for (let i = 0, o = 0; o < data.length; i++, o += 4) {
    const [is, said] = [labelAt(reference.plane, i), labelAt(prediction.plane, i)];
    const agreement = agreementOf(off.has(is) ? 0 : is, off.has(said) ? 0 : said);
    if (agreement === 'none') continue;
    const color = agreementColors[agreement];
    mix(data, o, color, 0, color[3]);
  }
}

/** Lays the colour at place `c` of `colors` over the pixel at place `o`. */
function mix(data: Uint8ClampedArray, o: number, colors: ArrayLike<number>, c: number, opacity: number): void {
  // "Over" of two transparent colours (Porter & Duff 1984).
  const [mine, below] = [Math.min(1, opacity), (data[o + 3] ?? 0) / 255];
  const both = mine + below * (1 - mine);
  const share = mine / both;
  data[o] = (data[o] ?? 0) * (1 - share) + (colors[c] ?? 0) * share;
  data[o + 1] = (data[o + 1] ?? 0) * (1 - share) + (colors[c + 1] ?? 0) * share;
  data[o + 2] = (data[o + 2] ?? 0) * (1 - share) + (colors[c + 2] ?? 0) * share;
  data[o + 3] = 255 * both;
}

/** The label of a pixel of a label map. */
export function labelAt({ numbers, slope, intercept }: LoadedPlane, i: number): number {
  return Math.round((numbers[i] ?? 0) * slope + intercept) & 0xffff;
}

/** The value at a pixel; of a colour picture its three. */
export function valueAt(plane: LoadedPlane, x: number, y: number): number[] {
  if (x < 0 || y < 0 || x >= plane.width || y >= plane.height) return [];
  const i = y * plane.width + x;
  if (plane.kind === 'rgb') return [...plane.numbers.slice(3 * i, 3 * i + 3)];
  return [(plane.numbers[i] ?? 0) * plane.slope + plane.intercept];
}
