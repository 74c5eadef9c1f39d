import { UnimissError } from '../../../../protocol/errors.ts';
import { readCase, type StoredCase } from '../../../data/prepared/readCase.ts';
import { type SegmentTask, segment, settingsOf } from '../predict/labelImage.ts';
import type { OpenNetwork } from '../predict/network.ts';
import { posed } from '../predict/posed.ts';
import type { Case } from './evaluated.ts';
import type { SplitCases } from './splitCases.ts';

export interface CaseLabels {
  readonly stored: StoredCase;
  readonly reference: Uint8Array;
  readonly prediction: Uint8Array;
}

/** Reference and prediction of a case in its own grid, by class numbers: one map, or a map a class. */
export async function labelsOf(
  network: OpenNetwork,
  { dataset: { labels, exclusive, ignore }, volume }: SplitCases,
  { id, channels: images, ...rest }: Case,
  task: SegmentTask,
): Promise<CaseLabels> {
  const from = 'label' in rest ? rest.label : null;
  if (!from) throw new UnimissError('internal', 'a case without labels', { place: id });
  const settings = settingsOf(network, volume);
  const classes = labels.map(({ values }) => values);
  const stored = await readCase({ id, images, labels: { overlapping: !exclusive, classes, ignore, from } }, settings);
  const { labels: known, ...image } = stored;
  if (!known) throw new UnimissError('internal', 'a case whose labels were not read', { place: id });
  const { prepared, size, back } = posed(image, network.plan, settings, images[0] ?? id);
  const maps = (await segment(network, prepared, size, task)).map(back);
  const prediction = new Uint8Array(maps.length * voxelsOf(stored));
  for (const [k, map] of maps.entries()) prediction.set(map, k * voxelsOf(stored));
  return { stored, reference: known.data, prediction };
}

export function voxelsOf({ size }: StoredCase): number {
  return size[0] * size[1] * size[2];
}
