import { dirname } from 'node:path';
import type { EmbedResult } from '../../../protocol/jobs/embedMessages.ts';
import { type Modality, modalities } from '../../../protocol/modality.ts';
import { readFeatureTable } from '../../evaluate/features/featureTable.ts';
import { linearProbe } from '../../evaluate/features/linearProbe.ts';
import { type TwoLevelDifference, twoLevelDifference } from '../../evaluate/metrics/twoLevelBootstrap.ts';
import { percent } from '../commands/embed.ts';
import type { Fact } from './fact.ts';
import { points, pointsInterval } from './points.ts';

type Linear = NonNullable<EmbedResult['phases'][number]['linear']>;

/** What a linear probe found before and after training. */
export interface Gain {
  readonly modality: Modality;
  readonly before: Linear;
  readonly after: Linear;
  /** After minus before with its 95 % interval: the same labels are drawn for both, and images are resampled in pairs. */
  readonly gain: Omit<TwoLevelDifference, 'p'>;
}

/** What pre-training did to the features of labelled images. @param before features as they were written, with their labels */
export async function gainsOf(before: EmbedResult, after: EmbedResult): Promise<Gain[]> {
  const gains: Gain[] = [];
  for (const modality of modalities) {
    const [first, last] = [before, after].map(({ phases }) => phases.find(({ phase }) => phase === modality));
    if (!first?.linear || !last?.linear || first.file === null || last.file === null) continue;
    const { perClass } = last.linear;
    const [old, now] = await Promise.all([
      perImage(first.file, modality, perClass),
      perImage(last.file, modality, perClass),
    ]);
    const { difference, low, high } = twoLevelDifference([now], [old], { resamples: 2000, seed: 0 });
    gains.push({ modality, before: first.linear, after: last.linear, gain: { difference, low, high } });
  }
  return gains;
}

/** Share of the draws in which each image is classified correctly. */
async function perImage(file: string, modality: Modality, perClass: number) {
  const { features, featureLength, rows } = await readFeatureTable(dirname(file), modality);
  const classes = [...new Set(rows.map(({ label }) => label))];
  const labels = rows.map(({ label }) => classes.indexOf(label));
  return linearProbe({ features, featureLength, labels }, { perClass }).perImage;
}

export function gainFact({ modality, before, after, gain }: Gain): Fact {
  const within = ([low, high]: readonly [number, number]) => `${percent(low)}–${percent(high)}`;
  const clear = gain.low > 0 || gain.high < 0 ? '' : 'no clear change; ';
  return {
    key: 'probe',
    label: `Probe ${modality}`,
    value: `${percent(before.accuracy)} → ${percent(after.accuracy)}`,
    note: `${clear}${points(gain.difference)} points, ${pointsInterval(gain)}; accuracy of a linear probe with ${after.perClass} labels a class on what fine-tuning reads, before → after training; 95 % intervals ${within(before.interval)} → ${within(after.interval)}, chance ${percent(after.chance)}`,
  };
}
