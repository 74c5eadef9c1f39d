import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Engine } from '../../daemon/engine/index.ts';
import { type Modality, modalities } from '../../protocol/modality.ts';
import { lackOfPjrt, pjrtTestEngine } from '../engine.ts';
import { checkForward } from './forward.ts';
import { checkTraining, type TrainTolerances } from './train.ts';
import { goldenFiles } from './values.ts';

/** How far PyTorch's own bfloat16 is from its float32 (bf16_scatter.py), the largest of several draws of weights and images. */
interface Scatter {
  readonly factor: number;
  readonly scatter: Readonly<Record<Modality, Readonly<Record<string, number>>>>;
}

const { factor, scatter } = JSON.parse(readFileSync(new URL('bfloat16.json', import.meta.url), 'utf8')) as Scatter;

function tolerance(modality: Modality, ...keys: string[]): number {
  return factor * Math.max(...keys.map((key) => scatter[modality][key] ?? Number.NaN));
}

function trainTolerances(modality: Modality): TrainTolerances {
  const of = (key: string) => tolerance(modality, key);
  return {
    ...{ loss: of('loss'), term: of('term'), gradient: [of('gradient'), of('gradientLater')] },
    ...{ gradientMedian: of('gradientMedian'), gradientTotal: of('gradientTotal') },
    ...{ parameter: of('parameter'), parameterNorm: of('parameterNorm'), centre: of('centre') },
  };
}

/** Golden numbers of float32 with factors in bfloat16: no farther off than PyTorch's scatter, times a factor, since it is of few draws. */
describe.skipIf(lackOfPjrt)('pjrt:cpu in bfloat16', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await pjrtTestEngine({ precision: 'bfloat16' });
  });

  test.each(goldenFiles(/^forward-tiny\.json$/))('%s', (file) => {
    const largest = (...keys: string[]) => Math.max(...modalities.map((modality) => tolerance(modality, ...keys)));
    const tolerances = { values: largest('feature', 'head'), norms: largest('featureNorm', 'headNorm') };
    return checkForward(engine, file, 'xla', tolerances);
  });

  describe.each(modalities)('%s', (modality) => {
    test('the tolerances are those of rounding, not of anything', () => {
      const { loss, gradientMedian } = trainTolerances(modality);
      expect(loss).toBeGreaterThan(1e-5);
      expect(loss).toBeLessThan(0.1);
      expect(gradientMedian).toBeLessThan(0.5);
    });

    test.each(goldenFiles(new RegExp(`^train-tiny-${modality}\\.json$`)))('%s', (file) =>
      checkTraining(engine, file, { executor: 'xla', tolerances: trainTolerances(modality) }),
    );
  });
});
