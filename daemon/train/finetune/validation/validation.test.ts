import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PreparedSummary } from '../../../data/loader/labelled/types.ts';
import type { Size3 } from '../../../data/prepared/types.ts';
import { Ranking } from '../../../evaluate/metrics/ranking.ts';
import { ClassificationValidation } from './classification.ts';
import { SegmentationValidation, voxelClasses } from './segmentation.ts';
import { coveringWindows, middleWindow } from './windows.ts';

describe('the area under the ROC curve', () => {
  it('is the share of pairs in the right order, ties half', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.boolean()), { maxLength: 20 }), (cases) => {
        const scores = cases.map(([score]) => score);
        const positive = cases.map(([, is]) => is);
        const pairs = cases.flatMap(([a, isA]) =>
          isA ? cases.flatMap(([b, isB]) => (isB ? [] : [Math.sign(a - b)])) : [],
        );
        const expected = pairs.length === 0 ? undefined : pairs.reduce((sum, s) => sum + (s + 1) / 2, 0) / pairs.length;
        const area = new Ranking(scores, positive).auc();
        if (expected === undefined) expect(area).toBeNull();
        else expect(area).toBeCloseTo(expected, 12);
      }),
    );
  });
});

/** One window for each case. */
const windowsOf = (...cases: number[]) => cases.map((number) => ({ case: number, start: [0, 0, 0] as const }));
/** Each case is a patient. */
const patientOf = (number: number) => `patient ${number}`;

describe('validation of a segmentation', () => {
  it('pools Dice over batches; ignored voxels and absent classes do not count', () => {
    const names = ['background', 'a', 'b', 'never'];
    const validation = new SegmentationValidation({ names, overlapping: false, patientOf });
    const sure = (k: number) => [0, 1, 2, 3].map((i) => (i === k ? 20 : 0));
    const windows = windowsOf(0);
    validation.add({ windows, labels: Int32Array.of(0, 1, 1) }, Float32Array.from([0, 1, 2].flatMap(sure)));
    validation.add({ windows, labels: Int32Array.of(2, -1, 1) }, Float32Array.from([2, 3, 1].flatMap(sure)));
    // a: 3 voxels, 2 predicted, 2 hit; b: 1 voxel, 2 predicted, 1 hit.
    const values = validation.values();
    expect(values).toMatchObject({ 'dice/a': 4 / 5, 'dice/b': 2 / 3, dice: (4 / 5 + 2 / 3) / 2 });
    expect(values).not.toHaveProperty(['dice/never']);
    expect(values).not.toHaveProperty(['dice/background']);
    // One of five voxels is wrong by 20 nats; soft Dice of the class that never occurs is 1.
    expect(values.validationLoss).toBeCloseTo(20 / 5 - (4 / 5 + 2 / 3 + 1) / 3, 3);
  });

  it('of overlapping classes counts each bit', () => {
    const validation = new SegmentationValidation({ names: ['a', 'b'], overlapping: true, patientOf });
    const labels = Int32Array.of(0b11, 0b01, 0b00);
    validation.add({ windows: windowsOf(0), labels }, Float32Array.of(9, 9, 9, 9, -9, -9));
    expect(validation.values()).toMatchObject({ 'dice/a': 1, 'dice/b': 2 / 3 });
    expect([...voxelClasses(Float32Array.of(9, 9, 9, -9, -9, -9), 2, true)]).toEqual([3, 1, 0]);
    expect([...voxelClasses(Float32Array.of(0, 2, 1, 3, 0, 0), 3, false)]).toEqual([1, 0]);
  });
});

describe('intervals of a segmentation', () => {
  const sure = (k: number) => [0, 1].map((i) => (i === k ? 20 : 0));
  /** Case 0 has one voxel of its class found, case 1 has one missed, case 2 one of two found. */
  function of(patients: readonly string[]) {
    const names = ['background', 'a'];
    const made = new SegmentationValidation({ names, overlapping: false, patientOf: (n) => patients[n] ?? '' });
    const labels = Int32Array.of(1, 0, 1, 0, 1, 1);
    made.add({ windows: windowsOf(0, 1, 2), labels }, Float32Array.from([1, 0, 0, 0, 1, 0].flatMap(sure)));
    return made;
  }

  it('are percentiles of the pooled Dice over resampled patients', () => {
    const made = of(['x', 'y', 'z']);
    expect(made.values()).toMatchObject({ dice: 4 / 6, 'dice/a': 4 / 6 });
    // One draw of 27 takes patient y alone, which gives 0, and one x alone, which gives 1: both are more than 2.5 %.
    const { dice: mean, 'dice/a': own } = made.intervals();
    expect(own).toEqual([0, 1]);
    expect(mean).toEqual(own);
  });

  it('count the images of a patient together, and need two patients', () => {
    // Either patient has a Dice of 2/3.
    const [low = Number.NaN, high = Number.NaN] = of(['x', 'x', 'z']).intervals()['dice/a'] ?? [];
    expect([low, high]).toEqual([2 / 3, 2 / 3]);
    expect(of(['x', 'x', 'x']).intervals()).toEqual({});
  });
});

describe('validation of a classification', () => {
  it('of two classes has the AUC of the second', () => {
    const validation = new ClassificationValidation({ names: ['no', 'yes'], overlapping: false, patientOf });
    validation.add({ windows: windowsOf(0, 1), labels: Int32Array.of(0, 1) }, Float32Array.of(2, 0, 1, 0));
    validation.add({ windows: windowsOf(2, 3), labels: Int32Array.of(1, 0) }, Float32Array.of(0, 3, 0, 1));
    const values = validation.values();
    expect(values).toMatchObject({ accuracy: 0.5, auc: 3 / 4 });
    expect(Object.keys(values)).toEqual(['validationLoss', 'accuracy', 'auc']);
    const loss = [2, -1, 3, -1].map((margin) => Math.log1p(Math.exp(-margin)));
    expect(values.validationLoss).toBeCloseTo(loss.reduce((a, b) => a + b, 0) / 4, 6);
  });

  it('of several at once skips what is not known and classes without a negative', () => {
    const validation = new ClassificationValidation({ names: ['a', 'b'], overlapping: true, patientOf });
    validation.add({ windows: windowsOf(0, 1), labels: Int32Array.of(1, 1, 0, -1) }, Float32Array.of(5, 5, -5, 5));
    const values = validation.values();
    expect(values).toMatchObject({ accuracy: 1, auc: 1, 'auc/a': 1 });
    expect(values).not.toHaveProperty(['auc/b']);
  });

  it('has intervals over patients: none where one patient is all there is', () => {
    const of = (patient: (number: number) => string) => {
      const made = new ClassificationValidation({ names: ['no', 'yes'], overlapping: false, patientOf: patient });
      const logits = Float32Array.of(2, 0, 0, 2, 2, 0, 0, 2, 0, 2, 0, 3);
      made.add({ windows: windowsOf(0, 1, 2, 3, 4, 5), labels: Int32Array.of(0, 1, 0, 1, 0, 1) }, logits);
      return made;
    };
    // Each patient has an image of either class in the right order; that of the third is called "yes" twice.
    const pairs = of((number) => `${number >> 1}`);
    expect(pairs.values().accuracy).toBeCloseTo(5 / 6, 12);
    const { accuracy, auc } = pairs.intervals();
    expect(accuracy).toEqual([0.5, 1]);
    expect(auc?.[1]).toBe(1);
    expect(auc?.[0]).toBeLessThan(1);
    expect(of(() => 'the same').intervals()).toEqual({});
  });
});

describe('windows', () => {
  const sizes = fc.tuple(...[0, 1, 2].map(() => fc.integer({ min: 1, max: 9 }))) as unknown as fc.Arbitrary<Size3>;
  const summary = (size: Size3): PreparedSummary => ({
    kind: 'prepared',
    copy: '',
    size,
    digests: [],
    tilt: 0,
    voxels: [],
    middle: [0, 0, 0],
  });

  it('side by side show each voxel once', () => {
    fc.assert(
      fc.property(sizes, (size) => {
        const patch: Size3 = [2, 3, 4];
        const seen = new Map<string, number>();
        for (const { start } of coveringWindows(7, summary(size), patch))
          for (let i = 0; i < 24; i++) {
            const voxel = [start[0] + Math.floor(i / 12), start[1] + (Math.floor(i / 4) % 3), start[2] + (i % 4)];
            if (voxel.every((at, axis) => at >= 0 && at < size[axis]!))
              seen.set(`${voxel}`, (seen.get(`${voxel}`) ?? 0) + 1);
          }
        expect(seen.size).toBe(size[0] * size[1] * size[2]);
        expect([...seen.values()].every((count) => count === 1)).toBe(true);
      }),
    );
  });

  it('in the middle lie around the labelled voxels', () => {
    const one = { ...summary([10, 10, 10]), middle: [9, 5, 0] as const };
    expect(middleWindow(3, one, [2, 4, 4])).toEqual({ case: 3, start: [8, 3, 0] });
  });
});
