import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { segmentationEvaluation } from '../../../protocol/evaluation/segmentation.ts';
import { compareEvaluations } from './compareEvaluations.ts';
import { conventions } from './conventions.ts';
import { evaluateSegmentation, type SegmentationCaseInput, type SegmentationOptions } from './evaluateSegmentation.ts';
import { measureClasses } from './measureClass.ts';
import { casesCsv, classesCsv } from './writeEvaluation.ts';

const options = { convention: conventions.unimiss, toleranceMm: 1, lesions: true };
const classes = [{ name: 'liver', values: [1] }];
const measure = (shape: number[], spacing: number[], reference: number[], prediction: number[], more = {}) =>
  measureClasses(
    { reference: Uint8Array.from(reference), prediction: Uint8Array.from(prediction) },
    classes,
    { shape, spacing },
    {
      ...options,
      ...more,
    },
  )[0]!;

describe('by hand', () => {
  test('missed and false-positive: no overlap, the diagonal as distance', () => {
    // A picture of 3×4 mm pixels, 1 row of 2: 3 mm by 8 mm. Diagonal √73.
    const missed = measure([1, 2], [3, 4], [1, 0], [0, 0]);
    expect(missed).toMatchObject({ status: 'missed', dice: 0, iou: 0, surfaceDice: 0, volumeError: -1, lesionF1: 0 });
    expect(missed.hd95).toBeCloseTo(Math.sqrt(73), 12);
    expect(missed.assd).toBeCloseTo(Math.sqrt(73), 12);
    expect(missed.volumeErrorMl).toBeCloseTo(-0.12, 12); // 12 mm² = 0.12 cm²
    const extra = measure([1, 2], [3, 4], [0, 0], [1, 1]);
    expect(extra).toMatchObject({ status: 'false-positive', dice: 0, volumeError: null, lesionF1: 0 });
    const empty = measure([1, 2], [3, 4], [0, 0], [0, 0]);
    expect(empty).toMatchObject({ status: 'both-empty', dice: null, hd95: null, volumeErrorMl: null, lesionF1: null });
  });

  test('nnU-Net: overlaps only, undefined where neither has it', () => {
    const convention = { convention: conventions.nnunet };
    expect(measure([1, 3], [1, 1], [1, 1, 0], [0, 1, 1], convention)).toMatchObject({
      dice: 0.5,
      iou: 1 / 3,
      hd95: null,
      surfaceDice: null,
    });
    expect(measure([1, 3], [1, 1], [0, 0, 0], [0, 0, 0], convention).dice).toBeNull();
    expect(measure([1, 3], [1, 1], [1, 0, 0], [0, 0, 0], convention)).toMatchObject({ dice: 0, iou: 0 });
  });

  test('volume error: 3 voxels of 2×1×1 mm against 2', () => {
    const got = measure([1, 1, 4], [2, 1, 1], [1, 1, 0, 0], [1, 1, 1, 0]);
    expect(got.volumeError).toBeCloseTo(0.5, 12);
    expect(got.volumeErrorMl).toBeCloseTo(0.002, 12);
  });

  test('lesions touch by corners too; one found, one missed, one extra', () => {
    // Reference: {a, its diagonal neighbour} and a single voxel. Prediction: one voxel of the first, and one elsewhere.
    const reference = [1, 0, 0, 0, 0, /**/ 0, 1, 0, 0, 1, /**/ 0, 0, 0, 0, 0];
    const prediction = [1, 0, 0, 0, 0, /**/ 0, 0, 0, 0, 0, /**/ 0, 0, 0, 1, 0];
    const got = measure([3, 5], [1, 1], reference, prediction);
    // The prediction at (2, 3) touches the second lesion by a corner, but shares no voxel with it.
    expect(got.lesions).toEqual({ reference: 2, predicted: 2, found: 1, extra: 1 });
    expect(got.lesionF1).toBeCloseTo(0.5, 12); // 2 / (2 + 1 + 1)
  });

  test('lesions that touch across slices are one', () => {
    const reference = [1, 0, 0, 0, /**/ 0, 0, 0, 1];
    expect(measure([2, 2, 2], [1, 1, 1], reference, reference).lesions).toEqual({
      reference: 1,
      predicted: 1,
      found: 1,
      extra: 0,
    });
  });

  test('voxels that the reference does not know count for nothing', () => {
    const pair = { reference: Uint8Array.of(1, 255, 0, 0), prediction: Uint8Array.of(1, 1, 0, 0), ignore: 255 };
    expect(measureClasses(pair, classes, { shape: [1, 4], spacing: [1, 1] }, options)[0]).toMatchObject({
      dice: 1,
      predictedVoxels: 1,
    });
  });

  test('a region is several values', () => {
    const pair = { reference: Uint8Array.of(1, 2, 3, 0), prediction: Uint8Array.of(2, 1, 0, 3) };
    const regions = [
      { name: 'whole', values: [1, 2, 3] },
      { name: 'core', values: [1, 2] },
    ];
    const got = measureClasses(pair, regions, { shape: [1, 4], spacing: [1, 1] }, options);
    expect(got.map((one) => one.dice)).toEqual([(2 * 2) / 6, 1]);
  });
});

describe('properties', () => {
  const [depth, rows, columns] = [4, 5, 6];
  const shape = [depth, rows, columns];
  const bit = fc.integer({ min: 0, max: 1 });
  const mask = fc.array(bit, { minLength: depth * rows * columns, maxLength: depth * rows * columns });
  const spacing = fc.tuple(...[0, 1, 2].map(() => fc.constantFrom(0.7, 1, 2.5)));

  test('distances are those of trying all pairs', () => {
    const sparse = fc.array(fc.constantFrom(0, 0, 0, 0, 0, 0, 1), {
      minLength: depth * rows * columns,
      maxLength: depth * rows * columns,
    });
    fc.assert(
      fc.property(sparse, sparse, spacing, (a, b, mm) => {
        const got = measure(shape, mm, a, b, { convention: conventions.medpy });
        if (got.status !== 'ok') return;
        const at = (i: number) => [Math.floor(i / (rows * columns)), Math.floor(i / columns) % rows, i % columns];
        const surface = (m: number[]) =>
          [...m.keys()].filter((i) => {
            const [z, y, x] = at(i) as [number, number, number];
            const inside = (dz: number, dy: number, dx: number) => {
              const [s, r, c] = [z + dz, y + dy, x + dx];
              return (
                s >= 0 &&
                s < depth &&
                r >= 0 &&
                r < rows &&
                c >= 0 &&
                c < columns &&
                m[(s * rows + r) * columns + c] === 1
              );
            };
            const all =
              inside(1, 0, 0) &&
              inside(-1, 0, 0) &&
              inside(0, 1, 0) &&
              inside(0, -1, 0) &&
              inside(0, 0, 1) &&
              inside(0, 0, -1);
            return m[i] === 1 && !all;
          });
        const [p, q] = [surface(a), surface(b)];
        const distance = (i: number, j: number) =>
          Math.hypot(...at(i).map((n, axis) => (n - at(j)[axis]!) * mm[axis]!));
        const nearest = (from: number[], to: number[]) => from.map((i) => Math.min(...to.map((j) => distance(i, j))));
        const all = [...nearest(p, q), ...nearest(q, p)];
        expect(got.assd).toBeCloseTo(all.reduce((x, y) => x + y, 0) / all.length, 9);
      }),
    );
  });

  test('identity, symmetry, and bounds', () => {
    fc.assert(
      fc.property(mask, mask, spacing, fc.constantFrom('unimiss' as const, 'deepmind' as const), (a, b, mm, name) => {
        const convention = { convention: conventions[name] };
        const [there, back] = [measure(shape, mm, a, b, convention), measure(shape, mm, b, a, convention)];
        for (const metric of ['dice', 'iou', 'hd95', 'assd', 'surfaceDice'] as const)
          if (there[metric] === null) expect(back[metric]).toBeNull();
          else expect(there[metric]).toBeCloseTo(back[metric]!, 9);
        const same = measure(shape, mm, a, a, convention);
        if (same.status === 'ok')
          expect(same).toMatchObject({
            dice: 1,
            iou: 1,
            hd95: 0,
            assd: 0,
            surfaceDice: 1,
            volumeError: 0,
            lesionF1: 1,
          });
        if (there.status === 'ok') {
          expect(there.dice).toBeCloseTo((2 * there.iou!) / (1 + there.iou!), 12);
          expect(there.surfaceDice).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  test('a shift of both within a larger image changes nothing', () => {
    const placed = (m: number[], [dz, dy, dx]: readonly number[]) => {
      const large = new Array<number>(8 * 9 * 10).fill(0);
      for (const [i, value] of m.entries()) {
        const [z, y, x] = [Math.floor(i / (rows * columns)), Math.floor(i / columns) % rows, i % columns];
        large[((z + dz!) * 9 + y + dy!) * 10 + x + dx!] = value;
      }
      return large;
    };
    const shift = fc.tuple(
      fc.integer({ min: 0, max: 4 }),
      fc.integer({ min: 0, max: 4 }),
      fc.integer({ min: 0, max: 4 }),
    );
    fc.assert(
      fc.property(mask, mask, shift, (a, b, by) => {
        const [first, second] = [[0, 0, 0], by].map((s) =>
          measure([8, 9, 10], [2, 1, 0.7], placed(a, s), placed(b, s)),
        );
        expect(second).toEqual(first);
      }),
    );
  });

  test('far structures of thin slices take the slow way and give the same', () => {
    // One voxel against a plane 55 rows and 40 slices away: more rows than the quick search looks at.
    const large = [60, 70, 8];
    const size = 60 * 70 * 8;
    const at = (z: number, y: number, x: number) => (z * 70 + y) * 8 + x;
    const a = new Array<number>(size).fill(0);
    const b = new Array<number>(size).fill(0);
    a[at(2, 3, 4)] = 1;
    b[at(42, 58, 1)] = 1;
    b[at(50, 60, 7)] = 1;
    const got = measure(large, [1.5, 0.7, 0.9], a, b, { convention: conventions.medpy });
    const near = Math.hypot(40 * 1.5, 55 * 0.7, 3 * 0.9);
    const far = Math.hypot(48 * 1.5, 57 * 0.7, 3 * 0.9);
    expect(got.assd).toBeCloseTo((2 * near + far) / 3, 9);
  });
});

const input = (id: string, patient: string, reference: number[], prediction: number[]): SegmentationCaseInput => ({
  id,
  patient,
  shape: [2, 4],
  spacing: [1, 1],
  labels: { kind: 'map', reference: Uint8Array.from(reference), prediction: Uint8Array.from(prediction) },
});
const two: SegmentationOptions = {
  name: 'run',
  split: 'test',
  classes: [
    { name: 'a', values: [1] },
    { name: 'b', values: [2] },
  ],
  threads: 0,
  resamples: 200,
};
const cases = [
  input('1', 'p', [1, 1, 0, 0, 2, 2, 0, 0], [1, 1, 0, 0, 2, 0, 0, 0]),
  input('2', 'q', [1, 1, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0]),
  input('3', 'q', [0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 1, 0, 0, 0, 0]),
];

describe('evaluateSegmentation', () => {
  test('counts of statuses stand beside every mean', async () => {
    const got = await evaluateSegmentation(cases, two);
    expect(segmentationEvaluation.parse(JSON.parse(JSON.stringify(got)))).toEqual(got);
    const [a, b] = got.classes;
    expect(a!.statuses).toEqual({ ok: 1, 'both-empty': 0, missed: 1, 'false-positive': 1 });
    expect(a!.metrics.dice).toMatchObject({ count: 3, mean: 1 / 3, countOk: 1, meanOverOk: 1 });
    // Diagonal √(2² + 4²) twice, 0 once.
    expect(a!.metrics.hd95!.mean).toBeCloseTo((2 * Math.sqrt(20)) / 3, 12);
    expect(a!.metrics.hd95!.meanOverOk).toBe(0);
    expect(b!.statuses).toEqual({ ok: 1, 'both-empty': 2, missed: 0, 'false-positive': 0 });
    expect(b!.metrics.dice).toMatchObject({ count: 1, mean: 2 / 3, interval: null });
    expect(got.summary.metrics.dice!.mean).toBeCloseTo((1 / 3 + 2 / 3) / 2, 12);
    expect(got.patients).toBe(2);
    expect(got.leakage.state).toBe('unknown');
    expect(got.notes.join(' ')).toMatch(/Only 2 patients/);
    expect(got.convention).toMatchObject({ name: 'unimiss', version: 1 });
  });

  test('masks that may overlap give the same as maps where they do not', async () => {
    const masks = cases.map((one): SegmentationCaseInput => {
      const { reference, prediction } = one.labels;
      const split = (map: ArrayLike<number>) =>
        Uint8Array.from([1, 2].flatMap((v) => Array.from(map, (x) => (x === v ? 1 : 0))));
      return { ...one, labels: { kind: 'masks', reference: split(reference), prediction: split(prediction) } };
    });
    const time = new Date(0);
    expect(await evaluateSegmentation(masks, { ...two, time })).toEqual(
      await evaluateSegmentation(cases, { ...two, time }),
    );
  });

  test('what does not fit names the case', async () => {
    const wrong = { ...cases[0]!, shape: [3, 4] };
    await expect(evaluateSegmentation([wrong], two)).rejects.toThrow(
      /1: the reference has 8 voxels, but its grid 1×3×4/,
    );
    await expect(evaluateSegmentation([cases[0]!, cases[0]!], two)).rejects.toThrow(/1: the case is listed twice/);
    await expect(evaluateSegmentation([], two)).rejects.toThrow(/no case to evaluate/);
    await expect(evaluateSegmentation([{ ...cases[0]!, spacing: [0, 1] }], two)).rejects.toThrow(
      /spacing 0, 1 mm is impossible/,
    );
  });

  test('tables: a row a case and class, and no formula for spreadsheets', async () => {
    const got = await evaluateSegmentation([{ ...cases[0]!, id: '=HYPERLINK("x")' }], two);
    expect(casesCsv(got).split('\n')[1]).toMatch(/^"?'=HYPERLINK/);
    expect(casesCsv(got).trim().split('\n')).toHaveLength(3);
    expect(classesCsv(got).trim().split('\n')).toHaveLength(3);
  });

  test('compared with another run: too few pairs to tell', async () => {
    const better = [
      { ...cases[0]!, labels: { ...cases[0]!.labels, prediction: cases[0]!.labels.reference } as never },
      cases[1]!,
      cases[2]!,
    ];
    const [first, second] = [
      await evaluateSegmentation(cases, two),
      await evaluateSegmentation(better, { ...two, name: 'twin' }),
    ];
    const dice = compareEvaluations(first, second).find((c) => c.metric === 'dice' && c.class === null)!;
    expect(dice.pairs).toBe(2);
    // Patient p: (1 + 2/3) / 2 → 1. Patient q: 0 both.
    expect(dice.effect).toBeCloseTo(1 / 12, 12);
    expect(dice.sentence).toMatch(
      /2 pairs are too few to tell the two runs apart: the smallest p that this test can give is 0\.5/,
    );
  });

  test('threads give the same numbers', async () => {
    const shape = [70, 150, 180]; // large enough for threads
    const labels = (shift: number) =>
      Uint8Array.from({ length: 70 * 150 * 180 }, (_, i) => {
        const [z, y, x] = [Math.floor(i / 27000), Math.floor(i / 180) % 150, i % 180];
        return z > 5 && Math.hypot((y - 73 - shift) / 4, (x - 90) / 4) < 17 ? 1 + ((x + y + z) % 40 < 20 ? 1 : 0) : 0;
      });
    const one: SegmentationCaseInput = {
      id: 'large',
      patient: 'p',
      shape,
      spacing: [3, 1, 1],
      labels: { kind: 'map', reference: labels(0), prediction: labels(3) },
    };
    const time = new Date(0);
    const [alone, together] = [
      await evaluateSegmentation([one], { ...two, time }),
      await evaluateSegmentation([one], { ...two, threads: 2, time }),
    ];
    expect(alone.cases[0]!.classes[0]!.assd).toBeGreaterThan(0.2);
    expect(together).toEqual(alone);
  });
});
