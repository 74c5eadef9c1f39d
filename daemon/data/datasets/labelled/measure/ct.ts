import type { LabelledDataset } from '../types.ts';
import type { CaseMeasure } from './caseMeasure.ts';

/** Names that only a channel without a description has. */
const unnamed = /^(image|channel \d+)$/i;
/** HU of air is -1000; values above this are none. */
const surelyAir = -500;

/**
 * Which channels are CT: those that are named so, and unnamed ones where most images have whole numbers down to air. Pictures are never CT.
 */
export function ctChannels(
  { modality, channels }: Pick<LabelledDataset, 'modality' | 'channels'>,
  measures: readonly CaseMeasure[],
): readonly boolean[] {
  return channels.map((name, i) => {
    if (modality === '2D') return false;
    if (/\bCT\b/i.test(name)) return true;
    if (!unnamed.test(name)) return false;
    const known = measures.flatMap(({ channels: own }) => own[i] ?? []);
    const like = known.filter(({ min, max, whole }) => whole && min <= -900 && max >= 100);
    return known.length > 0 && like.length > known.length / 2;
  });
}

/** Why values cannot be HU; undefined where they can. What is given are the smallest and the largest. */
export function notHu(min: number, max: number): { what: string; remedy: string } | undefined {
  const values = `has values from ${+min.toPrecision(4)} to ${+max.toPrecision(4)}, which cannot be HU`;
  if (min === 0 && max > 1000)
    return {
      what: `${values}: they look like stored values without the intercept`,
      remedy: 'Convert it with a tool that applies slope and intercept, such as dcm2niix.',
    };
  if (min > surelyAir)
    return {
      what: `${values}: there is no air`,
      remedy: 'Convert it to HU, or give the channel another name than CT.',
    };
  if (min < -12_000 || max > 70_000)
    return { what: values, remedy: 'Clip it to the range of the scanner, or convert the original again.' };
  if (max < -200) return { what: `${values}: there is nothing but air`, remedy: 'Check the image.' };
  return undefined;
}
