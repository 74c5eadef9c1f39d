import type { PredictTask } from '../../../../protocol/jobs/predictMessages.ts';
import { cutPatch } from '../../../data/augment/pairs/samplePatch.ts';
import type { PrepareSettings } from '../../../data/prepared/settings.ts';
import type { PreparedImage, Size3 } from '../../../data/prepared/types.ts';
import { keepLargest } from '../../../infer/largestComponent.ts';
import {
  channelsLast,
  type SegmentOptions,
  segmentImage,
  type WindowNetwork,
} from '../../../infer/slidingWindow/segmentImage.ts';
import type { OpenNetwork, RunNetwork } from './network.ts';

/**
 * How images are prepared for a network.
 * @param volume the number of the volume that is taken from files with several; null: such files are refused
 */
export function settingsOf({ plan, window }: OpenNetwork, volume: number | null): PrepareSettings {
  return {
    ...{ modality: plan.modality, spacing: plan.spacing, channels: plan.channels },
    size: plan.fit === 'resize' ? window : null,
    ...(volume !== null && { volume }),
  };
}

/**
 * Probabilities of an image: that of the whole, or of the part in its middle where the plan crops. Those of an ensemble are the mean
 * over its networks.
 */
export async function classify(
  { plan, window, runs }: OpenNetwork,
  image: PreparedImage,
): Promise<Record<string, number>> {
  const start = image.size.map((n, axis) => Math.floor((n - window[axis]!) / 2));
  const input = channelsLast(cutPatch(image, start, window));
  const all: number[][] = [];
  for (const run of runs) {
    const logits = await run(input);
    const odds = Array.from(logits, (x) =>
      plan.labels === 'exclusive' ? Math.exp(x - Math.max(...logits)) : 1 / (1 + Math.exp(-x)),
    );
    const sum = plan.labels === 'exclusive' ? odds.reduce((a, b) => a + b, 0) : 1;
    all.push(odds.map((value) => value / sum));
  }
  const mean = (k: number) => all.reduce((total, values) => total + values[k]!, 0) / all.length;
  return Object.fromEntries(plan.classes.map(({ name }, k) => [name, mean(k)]));
}

export interface SegmentTask extends Pick<PredictTask, 'overlap' | 'mirror'> {
  /** Leaves all components of all classes, whatever the plan says. */
  readonly raw?: boolean;
  /** Receives the mean scores of each slice: see `SegmentOptions`. */
  readonly onScores?: SegmentOptions['onScores'];
  readonly onSlices?: SegmentOptions['onSlices'];
}

/** Labels of an image in a grid of `size`; of the classes that the plan names, the largest component only. */
export async function segment(
  { plan, window, stride, runs }: OpenNetwork,
  image: PreparedImage,
  size: Size3,
  { overlap, mirror, raw = false, onScores, onSlices }: SegmentTask,
): Promise<(Uint8Array | Uint16Array)[]> {
  const axes = plan.modality === '3D' ? ([0, 1, 2] as const) : ([1, 2] as const);
  const network = (run: RunNetwork): WindowNetwork => ({ window, classes: plan.classes.length, stride, run });
  const [first, ...others] = runs;
  const maps = await segmentImage([network(first), ...others.map(network)], image, {
    ...{ choice: plan.labels, overlap, mirror: mirror ? axes : [], size, onScores, onSlices },
  });
  const single = plan.classes.flatMap(({ name }, k) => (plan.largestComponent?.includes(name) ? [k] : []));
  if (raw || single.length === 0) return maps;
  const [only] = maps;
  if (plan.labels === 'exclusive' && only) keepLargest(only, size, new Set(single));
  else for (const k of single) keepLargest(maps[k]!, size, new Set([1]));
  return maps;
}
