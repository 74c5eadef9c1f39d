import { describe, expect, it } from 'vitest';
import { fromFormat1 } from './earlier.ts';
import { runRecordSchema } from './records.ts';

/** Lines that version 0.1.0 wrote. */
const step3D = JSON.parse(
  '{"kind":"step","step":2,"epoch":1,"phase":"3D","loss":27.725887298583984,"terms":[6.931,6.932,6.93,6.933],"learningRate":0.0000520833,"weightDecay":0.04,"momentum":0.996,"gradientNorm":0.0131,"imagesPerSecond":1.8,"stepMs":1105.4,"waitMs":0.1,"rssMiB":801.6,"time":"2026-11-27T21:05:01.500Z"}',
);
const step2D = { ...step3D, phase: '2D', loss: 6.9, terms: [6.9] };
const epoch = JSON.parse(
  '{"kind":"epoch","epoch":0,"phase":"2D","step":1,"steps":2,"loss":6.93,"seconds":1.4,"collapse":{"teacherEntropy":6.9,"klToUniform":0.001,"featureStd":0.1,"effectiveRank":3.5},"warnings":["The teacher\'s output is uniform over its 1,024 outputs: it tells the student nothing. Try a lower train.lr, or larger batches. Or both.","It is late."],"time":"2026-11-27T21:04:59.000Z"}',
);

describe('format 1', () => {
  it('gives the numbers of a step as values, and the terms of a 3D loss by their names', () => {
    const { phase: _, terms: __, learningRate, weightDecay, momentum, gradientNorm, imagesPerSecond, ...same } = step3D;
    const rates = { learningRate, weightDecay, momentum, gradientNorm, imagesPerSecond };
    const terms = {
      ...{ 'term/volume-volume': 6.931, 'term/slices-volume': 6.932 },
      ...{ 'term/slices-slices': 6.93, 'term/volume-slices': 6.933 },
    };
    expect(fromFormat1(step3D)).toEqual({ ...same, group: '3D', values: { ...rates, ...terms } });
    expect(fromFormat1(step2D)).toMatchObject({ group: '2D', loss: 6.9 });
    expect(fromFormat1(step2D)).toHaveProperty('values', rates);
  });

  it('gives the signs of collapse as values, and warnings with their advice', () => {
    expect(fromFormat1(epoch)).toEqual({
      ...{ kind: 'epoch', epoch: 0, group: '2D', step: 1, steps: 2, loss: 6.93, seconds: 1.4, time: epoch.time },
      values: epoch.collapse,
      warnings: [
        {
          what: "The teacher's output is uniform over its 1,024 outputs: it tells the student nothing.",
          advice: 'Try a lower train.lr, or larger batches. Or both.',
        },
        { what: 'It is late.' },
      ],
    });
    expect(fromFormat1({ ...epoch, collapse: null })).toHaveProperty('values', {});
  });

  it('gives records of today', () => {
    for (const line of [step3D, step2D, epoch])
      expect(runRecordSchema.parse(fromFormat1(line))).toEqual(fromFormat1(line));
  });

  it('ignores unknown keys, and takes nothing that 0.1.0 did not write', () => {
    expect(fromFormat1({ ...step2D, more: 1 })).toEqual(fromFormat1(step2D));
    for (const wrong of [
      null,
      3,
      'step',
      {},
      { ...step2D, step: -1 },
      { ...step2D, terms: ['1'] },
      { ...epoch, loss: null },
    ])
      expect(fromFormat1(wrong)).toBeUndefined();
  });
});
