import { UnimissError } from '../../../../protocol/errors.ts';
import { notHu } from '../../../data/datasets/labelled/measure/ct.ts';
import { axisNames, thickAxis } from '../../../data/datasets/labelled/measure/orientation.ts';
import { inspectImage } from '../../../data/formats/image.ts';
import type { StoredCase } from '../../../data/prepared/readCase.ts';
import type { NetworkPlan } from '../../folder/networkPlan.ts';

/** How an image differs from what a network was trained on. */
export interface Difference {
  /** A clause whose subject is the image. */
  readonly what: string;
  readonly remedy: string;
  /** Its labels would have no sense: it is refused unless its user insists. */
  readonly refused: boolean;
}

/** An image was refused because it differs too much from those of the training; `force` predicts it. */
export class UnlikeTraining extends UnimissError {}

/** Voxels so many times as long as the plan's hold less than the network has learned from; so many times, next to nothing. */
const [farCoarser, hopelesslyCoarser] = [3, 6];
/** Shares of values within the range of the training, below which an image is doubted, and refused. */
const [fewInside, hardlyAnyInside] = [0.05, 0.01];
/** Share of a window's length, mm, that an image should have at least. */
const shortest = 0.25;

type Measured = Pick<StoredCase, 'size' | 'spacing' | 'channels'>;

/** How an image differs from what a network was trained on: spacing, extent, orientation, values. Those that are refused come first. */
export function differences(stored: Measured, plan: NetworkPlan): Difference[] {
  const found = [...inSpacing(stored, plan), ...plan.channels.flatMap((_, c) => inValues(stored, plan, c))];
  return found.sort((a, b) => Number(b.refused) - Number(a.refused));
}

/**
 * Refuses an image that differs too much.
 * @returns the differences that remain, as notices
 * @throws UnlikeTraining with what differs, unless `force`
 */
export function checkImage(path: string, stored: Measured, plan: NetworkPlan, force: boolean): string[] {
  const all = differences(stored, plan);
  const [first] = all;
  if (first?.refused && !force)
    throw new UnlikeTraining('data', first.what, { place: path, images: [path], remedy: first.remedy });
  return all.map(({ what, remedy }) => `${what}: do not trust its labels before you have looked at them. ${remedy}`);
}

/**
 * Refuses a picture where the network takes volumes, and the other way round: before anything is decoded.
 * @throws UnimissError 'data'
 */
export async function checkKind(
  path: string,
  { modality }: Pick<NetworkPlan, 'modality'>,
  volume: number | null = null,
): Promise<void> {
  const { kind } = await inspectImage(path, volume === null ? {} : { volume });
  if (kind === modality) return;
  const [is, wanted] = kind === '2D' ? ['a picture', 'volumes'] : ['a volume', 'pictures'];
  throw new UnimissError('data', `is ${is}, but the network was trained on ${wanted}`, {
    place: path,
    images: [path],
    remedy: `Use a network that was fine-tuned on ${kind === '2D' ? 'pictures' : 'volumes'}, or give ${wanted}.`,
  });
}

const millimeters = (values: readonly number[]) => `${values.map((mm) => +mm.toPrecision(3)).join('×')} mm`;

function inSpacing({ size, spacing }: Measured, { spacing: wanted, patch }: NetworkPlan): Difference[] {
  if (!spacing || !wanted || patch.length !== 3) return [];
  const ratios = spacing.map((mm, axis) => mm / wanted[axis]!);
  const [most, least] = [Math.max(...ratios), Math.min(...ratios)];
  const voxels = `has voxels of ${millimeters(spacing)}`;
  const trained = `than the ${millimeters(wanted)} that the network was trained on`;
  const remedy = 'Check the spacing in its header, or take a network that was trained on such images.';
  if (most > farCoarser)
    return [{ what: `${voxels}, much coarser ${trained}`, remedy, refused: most > hopelesslyCoarser }];
  if (Math.max(...ratios) < 1 / hopelesslyCoarser)
    return [{ what: `${voxels}, much finer ${trained}`, remedy, refused: true }];
  const found: Difference[] = [];
  const [own, usual] = [thickAxis(spacing), thickAxis(wanted)];
  if (own !== undefined && usual !== undefined && own !== usual && least > 0)
    found.push({
      what: `has its thick slices along ${axisNames[own]}, where the images of the training have them along ${axisNames[usual]}`,
      remedy: 'Check the orientation in its header.',
      refused: false,
    });
  const lengths = size.map((n, axis) => n * spacing[axis]!);
  const window = patch.map((n, axis) => n * wanted[axis]!);
  if (lengths.some((mm, axis) => mm < shortest * window[axis]!))
    found.push({
      what: `covers only ${millimeters(lengths)}, where the network sees ${millimeters(window)} at a time`,
      remedy: 'Give the whole image rather than a part.',
      refused: false,
    });
  return found;
}

function inValues({ channels }: Measured, plan: NetworkPlan, c: number): Difference[] {
  const [channel, values] = [plan.channels[c], channels[c]];
  if (!channel || !values) return [];
  const { name, normalization } = channel;
  const [min, max] = rangeOf(values);
  if (min === max)
    return [{ what: `has the value ${min} everywhere in ${name}`, remedy: 'Check the image.', refused: true }];
  if (normalization.scheme !== 'clip') return [];
  const unlikely = plan.modality === '3D' && /\bCT\b/i.test(name) ? notHu(min, max) : undefined;
  if (unlikely) return [{ ...unlikely, refused: min === 0 && max > 1000 }];
  const [low, high] = normalization.range;
  const share = shareInside(values, low, high);
  if (share >= fewInside) return [];
  return [
    {
      what: `has only ${(100 * share).toFixed(1)} % of its values of ${name} within [${low}, ${high}], on which the network was trained`,
      remedy: 'Check their unit.',
      refused: share < hardlyAnyInside,
    },
  ];
}

function rangeOf(values: ArrayLike<number>): [min: number, max: number] {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return [min, max];
}

function shareInside(values: ArrayLike<number>, low: number, high: number): number {
  let inside = 0;
  for (let i = 0; i < values.length; i++) if (values[i]! > low && values[i]! < high) inside++;
  return inside / values.length;
}
