import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FinetuneGiven } from '../../../../../protocol/config/finetune/index.ts';
import { type FinetuneConfig, resolveConfig } from '../../../../../protocol/config/index.ts';
import { parseConfig } from '../../../../../protocol/config/parseConfig.ts';
import type { CaseMeasure } from '../measure/caseMeasure.ts';
import type { SegmentationDataset } from '../types.ts';
import { memoryOf } from './cost.ts';
import { type Fingerprint, fingerprintOf, type PerAxis, quantile } from './fingerprint.ts';
import { planFor } from './planFor.ts';
import { renderPlan } from './renderPlan.ts';
import { findingLines } from './words.ts';

const GiB = 2 ** 30;
const large = { cores: 8, memory: 64 * GiB, gpu: null };
const same = (value: PerAxis) => ({ min: value, median: value, max: value });

const abdomen: Fingerprint = {
  problem: 'segmentation',
  modality: '3D',
  exclusive: true,
  cases: 30,
  patients: 30,
  size: same([130, 512, 512]),
  spacing: same([3, 0.76, 0.76]),
  target: { spacing: [3, 0.76, 0.76], size: [130, 512, 512] },
  channels: [{ name: 'CT', ct: true, mean: 79.98, deviation: 138.63, low: -974.2, high: 275.4 }],
  labels: ['background', 'liver', 'kidney left'].map((name) => ({ name, cases: 30, milliliters: 500, share: 0.1 })),
};

describe('a plan', () => {
  it('CT: a patch that is about as long in mm along each axis, clipped to the foreground', () => {
    const plan = planFor(abdomen, large);
    expect(plan).toMatchObject({
      spacing: [3, 0.76, 0.76],
      fit: 'crop',
      batch: 2,
      epochs: 100,
      stepsPerEpoch: 250,
      sided: true,
    });
    // 48·3 mm = 144 mm and 192·0.76 mm = 146 mm: the reference's patch.
    expect(plan.patch).toEqual([48, 192, 192]);
    expect(plan.channels).toEqual([
      { name: 'CT', normalization: { scheme: 'clip', range: [-974.2, 275.4], mean: 79.98, deviation: 138.63 } },
    ]);
    expect(plan.tight).toBe(false);
    // 25,000 steps.
    expect(plan.estimate.hours).toBeCloseTo((25_000 * (plan.estimate.secondsPerStep ?? 0)) / 3600, 6);
  });

  it('small images: the patch is no larger than they are', () => {
    const small = { ...abdomen, target: { spacing: [3, 3, 3], size: [71, 101, 122] } } as const;
    expect(planFor(small, large).patch).toEqual([80, 128, 128]);
  });

  it('little memory: a smaller batch, then a smaller patch', () => {
    const one = planFor(abdomen, { ...large, memory: 4 * GiB });
    expect(one).toMatchObject({ batch: 1, patch: [48, 192, 192], tight: false });
    const tiny = planFor(abdomen, { ...large, memory: 2 * GiB });
    expect(tiny.batch).toBe(1);
    expect(tiny.patch.reduce((a, b) => a * b, 1)).toBeLessThan(48 * 192 * 192);
    expect(planFor(abdomen, { ...large, memory: GiB }).tight).toBe(true);
  });

  it('MR: each image by its own statistics; pictures 0–1 and whole; time on a GPU is not guessed', () => {
    const mr = { ...abdomen, channels: [{ ...abdomen.channels[0]!, name: 'T1', ct: false }] };
    expect(planFor(mr, large).channels).toEqual([{ name: 'T1', normalization: { scheme: 'zScore' } }]);
    const pictures: Fingerprint = {
      ...abdomen,
      problem: 'classification',
      modality: '2D',
      spacing: null,
      target: null,
      channels: ['red', 'green', 'blue'].map((name) => ({ ...abdomen.channels[0]!, name, ct: false })),
    };
    const plan = planFor(pictures, { ...large, gpu: { name: 'GPU', memory: 24 * GiB } });
    expect(plan).toMatchObject({ patch: [224, 224], fit: 'resize', spacing: null, batch: 8, stepsPerEpoch: null });
    expect(plan.channels[2]).toEqual({ name: 'blue', normalization: { scheme: 'divide', by: 255 } });
    expect(plan.estimate).toMatchObject({ secondsPerStep: null, hours: null });
    expect(planFor({ ...pictures, cases: 5 }, large).batch).toBe(4); // 4 of 5 folds are trained on
  });

  const axis = (min: number, max: number) => {
    const number = fc.double({ min, max, noNaN: true });
    return fc.tuple(number, number, number);
  };
  it('fits strides and memory, and its configuration is valid, whatever the images are like', () => {
    fc.assert(
      fc.property(
        axis(4, 900),
        axis(0.1, 10),
        fc.constantFrom('segmentation', 'classification'),
        fc.constantFrom('2D', '3D'),
        fc.integer({ min: 1, max: 500 }),
        fc.integer({ min: 1, max: 256 }),
        (size, spacing, problem, modality, cases, gigabytes) => {
          const target = modality === '3D' ? { spacing, size } : null;
          const fingerprint = {
            ...abdomen,
            problem,
            modality,
            cases,
            target,
            spacing: target && same(spacing),
            size: same(size),
          } as const;
          const machine = { ...large, memory: gigabytes * GiB };
          const plan = planFor(fingerprint, machine);
          const [step, least] = modality === '2D' ? [[32, 32], 64] : [[16, 32, 32], 16];
          expect(plan.patch.every((side, i) => side % step[i]! === 0 && side >= least)).toBe(true);
          const need = memoryOf({
            problem,
            modality,
            preset: 'tiny',
            patch: plan.patch,
            batch: plan.batch,
            classes: 3,
          });
          expect(plan.estimate.memory).toBe(need);
          expect(plan.tight || need <= 0.7 * machine.memory).toBe(true);
          const text = renderPlan({
            dataset: { ...dataset, problem, modality } as never,
            fingerprint,
            plan,
            folds: 5,
            seed: 3,
          });
          const config = resolveConfig<FinetuneConfig>(parseConfig<FinetuneGiven>(text, 'plan'), { baseDir: '/' });
          expect(config).toMatchObject({
            problem,
            modality,
            plan: { patch: plan.patch, fit: plan.fit, channels: plan.channels },
          });
          expect(config.train).toMatchObject({
            batch: plan.batch,
            epochs: plan.epochs,
            stepsPerEpoch: plan.stepsPerEpoch,
          });
        },
      ),
      { numRuns: 60 },
    );
  });
});

const dataset: SegmentationDataset = {
  problem: 'segmentation',
  path: '/data/my "liver", v1:2',
  root: '/data',
  name: 'Leber ünd\nmore */ "x"',
  modality: '3D',
  layout: 'nnunet',
  exclusive: true,
  channels: ['CT'],
  labels: [
    { name: 'background', values: [0] },
    { name: 'kidney\nleft', values: [1] },
  ],
  ignore: null,
  problems: [],
  cases: ['a', 'b', 'c'].map((id) => ({
    id,
    patient: 'p',
    channels: [`/${id}`],
    split: null,
    label: { kind: 'map', path: `/l/${id}` },
  })),
};

it('a rendered plan keeps odd names intact, and says what it was made from', () => {
  const plan = planFor(abdomen, large);
  const text = renderPlan({
    dataset,
    fingerprint: abdomen,
    plan,
    folds: 3,
    seed: 9,
    train: { lr: 1e-4 },
    preset: ['Preset X'],
  });
  const config = parseConfig<FinetuneGiven>(text, 'plan');
  expect(config).toMatchObject({
    name: 'Leber-nd-more-x-',
    labels: 'exclusive',
    data: { path: dataset.path, layout: 'nnunet', folds: 3, seed: 9 },
    train: { lr: 1e-4, batch: 2 },
    augment: { mirror: 0 },
  });
  expect(text).toMatch(
    /^\/\/ Leber ünd more.*: 3D segmentation, 30 labelled cases of 30 patients \(nnunet\)\n\/\/ Preset X\n/,
  );
  expect(text).toMatch(/Estimated: \d+ (h|days) \(about [\d.]+ s a step/);
});

describe('a fingerprint', () => {
  const measure = (id: string, spacing: PerAxis, voxels: number, more: Partial<CaseMeasure> = {}): CaseMeasure => ({
    id,
    files: [{ path: `/${id}`, digest: id, size: [10, 400, 400], spacing, affine: null, grey: true, notices: [] }],
    channels: [{ min: -1000, max: 500, whole: true, sample: Float32Array.of(0, 10, 20, 30) }],
    label: {
      path: '',
      size: [10, 400, 400],
      affine: null,
      unknown: [],
      voxels: [0, voxels],
      columns: [],
      overlapping: 0,
      ignored: 0,
    },
    misplaced: [],
    broken: [],
    ...more,
  });

  it('by hand: medians, thick slices, volumes in ml, intensities', () => {
    const measures = [measure('a', [5, 1, 1], 1000), measure('b', [10, 1, 1], 3000), measure('c', [10, 1, 1], 0)];
    const print = fingerprintOf(dataset, measures);
    expect(print).toMatchObject({ cases: 3, patients: 1, size: same([10, 400, 400]) });
    expect(print.spacing).toEqual({ min: [5, 1, 1], median: [10, 1, 1], max: [10, 1, 1] });
    // Thick (10 > 3·1) and few (10·3 < 400): the 10th percentile of 5, 10, 10 is 6.
    expect(print.target?.spacing).toEqual([6, 1, 1]);
    // 50, 100 and 100 mm in slices of 6 mm: the median is 100/6.
    expect(print.target?.size[0]).toBeCloseTo(100 / 6, 9);
    // 1000 voxels of 5 mm³ and 3000 of 10 mm³: 5 and 30 ml.
    expect(print.labels[1]).toEqual({ name: 'kidney\nleft', cases: 2, milliliters: 17.5, share: 4000 / (3 * 1.6e6) });
    expect(print.channels[0]).toMatchObject({ name: 'CT', ct: true, mean: 15 });
    expect(print.channels[0]?.deviation).toBeCloseTo(Math.sqrt(125), 9);
  });

  it('counts neither broken nor misplaced cases', () => {
    const broken = measure('b', [1, 1, 1], 5, { broken: [{ path: '/b', what: 'is broken' }] });
    const misplaced = measure('c', [1, 1, 1], 5, { misplaced: [{ path: '/c', what: 'lies elsewhere', fatal: true }] });
    expect(fingerprintOf(dataset, [measure('a', [5, 1, 1], 1), broken, misplaced])).toMatchObject({ cases: 1 });
  });

  it('quantiles as numpy gives them', () => {
    expect([0, 0.1, 0.5, 0.995, 1].map((share) => +quantile([3, 1, 2, 4], share).toFixed(6))).toEqual([
      1, 1.3, 2.5, 3.985, 4,
    ]);
    expect(quantile([], 0.5)).toBe(0);
  });
});

it('findings: errors first, many of a kind are counted', () => {
  const finding = (severity: 'error' | 'warning', n: number) =>
    ({ severity, kind: 'colour', place: `/${n}`, what: 'is odd', remedy: 'Do.' }) as const;
  expect(findingLines([finding('warning', 0), ...[1, 2, 3].map((n) => finding('error', n))], 2)).toEqual([
    'error: /1 is odd. Do.',
    'error: /2 is odd. Do.',
    'error: … and 1 more of this kind (--json lists all)',
    'warning: /0 is odd. Do.',
  ]);
});
