import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClassificationCase, ClassificationDataset } from '../types.ts';
import { checkSides, checkSplit } from './checkSplit.ts';
import { makeSplit } from './split.ts';
import { readSplit, writeSplit } from './splitFile.ts';

const setOf = (cases: readonly Partial<ClassificationCase>[], classes = 3): ClassificationDataset => ({
  problem: 'classification',
  path: '/set',
  root: '/set',
  name: 'set',
  modality: '2D',
  layout: 'table',
  exclusive: true,
  channels: ['red', 'green', 'blue'],
  labels: Array.from({ length: classes }, (_, i) => ({ name: `class ${i}`, values: [i] })),
  ignore: null,
  problems: [],
  cases: cases.map((one, i) => ({
    id: `case ${i}`,
    patient: `p${i}`,
    channels: [`/set/${i}.png`],
    split: null,
    classes: [0],
    ...one,
  })),
});

const anyCase = fc.record({
  patient: fc.integer({ min: 0, max: 12 }).map((n) => `p${n}`),
  classes: fc.option(fc.subarray([0, 1, 2]), { nil: null }),
});
const options = fc.record({ folds: fc.integer({ min: 2, max: 6 }), seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }) });

describe('folds', () => {
  it('no patient is on two sides, and every labelled case is validated once', () => {
    fc.assert(
      fc.property(fc.array(anyCase, { minLength: 1, maxLength: 40 }), options, (cases, given) => {
        const dataset = setOf(cases);
        const { folds, test } = makeSplit(dataset, given);
        const patientOf = new Map(dataset.cases.map(({ id, patient }) => [id, patient]));
        const labelled = dataset.cases.filter(({ classes }) => classes !== null).map(({ id }) => id);
        expect(test).toEqual([]);
        expect(folds).toHaveLength(given.folds);
        expect(folds.flatMap(({ validation }) => validation).sort()).toEqual([...labelled].sort());
        for (const { train, validation } of folds) {
          expect([...train, ...validation].sort()).toEqual([...labelled].sort());
          const patients = new Set(validation.map((id) => patientOf.get(id)));
          expect(train.filter((id) => patients.has(patientOf.get(id)))).toEqual([]);
        }
      }),
    );
  });

  it('one class and one case a patient: classes and sizes of two folds differ by one at most', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 60 }),
        options,
        (classes, given) => {
          const dataset = setOf(classes.map((number) => ({ classes: [number] })));
          const { folds } = makeSplit(dataset, given);
          const classOf = new Map(dataset.cases.map(({ id, classes: own }) => [id, own?.[0]]));
          const counts = [undefined, 0, 1, 2].map((number) =>
            folds.map(
              ({ validation }) => validation.filter((id) => number === undefined || classOf.get(id) === number).length,
            ),
          );
          for (const inFolds of counts) expect(Math.max(...inFolds) - Math.min(...inFolds)).toBeLessThanOrEqual(1);
        },
      ),
    );
  });

  it('depend on the seed and on nothing else', () => {
    const dataset = setOf(Array.from({ length: 30 }, (_, i) => ({ classes: [i % 3] })));
    const split = makeSplit(dataset, { folds: 5, seed: 1 });
    expect(
      makeSplit(
        { ...dataset, cases: dataset.cases.toReversed() },
        { folds: 5, seed: 1 },
      ).folds[0]?.validation.toSorted(),
    ).toEqual(split.folds[0]?.validation.toSorted());
    expect(makeSplit(dataset, { folds: 5, seed: 2 })).not.toEqual({ ...split, seed: 2 });
  });

  it('a split that the data set gives is kept: test cases apart, validation as the only fold', () => {
    const given = setOf([{ split: 'train' }, { split: 'validation' }, { split: 'test' }, {}]);
    expect(makeSplit(given, { folds: 5, seed: 0 })).toEqual({
      folds: [{ train: ['case 0', 'case 3'], validation: ['case 1'] }],
      test: ['case 2'],
      seed: null,
    });
    const tested = setOf([{ split: 'train' }, { split: 'test' }, {}]);
    const { folds, test } = makeSplit(tested, { folds: 2, seed: 0 });
    expect(test).toEqual(['case 1']);
    expect(folds.flatMap(({ validation }) => validation).sort()).toEqual(['case 0', 'case 2']);
  });
});

describe('checks', () => {
  const kinds = (findings: readonly { kind: string }[]) => findings.map(({ kind }) => kind);

  it('a sound split has no finding', () => {
    const dataset = setOf(Array.from({ length: 12 }, (_, i) => ({ classes: [i % 3] })));
    expect(checkSplit(makeSplit(dataset, { folds: 3, seed: 0 }), dataset, 'file')).toEqual([]);
  });

  it('a patient on two sides, a case on two sides, an unknown case, an empty fold, a class without a training case', () => {
    const dataset = setOf(
      [
        { patient: 'a', classes: [0] },
        { patient: 'a', classes: [1] },
        { patient: 'b', classes: [1] },
      ],
      2,
    );
    const check = (train: string[], validation: string[], test: string[] = []) =>
      checkSplit({ folds: [{ train, validation }], test, seed: null }, dataset, '/s.json');
    expect(kinds(check(['case 0', 'case 2'], ['case 1']))).toEqual(['patientOnBothSides']);
    expect(kinds(check(['case 0', 'case 1'], ['case 2'], ['case 2']))).toEqual(['split']);
    expect(check(['case 0', 'case 1', 'who'], ['case 2'])).toMatchObject([
      { kind: 'split', what: expect.stringContaining('who') },
    ]);
    expect(kinds(check(['case 0', 'case 1'], []))).toEqual(['split']);
    expect(check(['case 2'], ['case 0', 'case 1'])).toMatchObject([
      { kind: 'missingClass', place: '/s.json', what: expect.stringContaining('class 0') },
    ]);
  });

  it('a data set that puts a patient on two sides', () => {
    const { cases } = setOf([
      { patient: 'a', split: 'train' },
      { patient: 'a', split: 'test' },
      { patient: 'a', split: 'test' },
    ]);
    expect(kinds(checkSides(cases))).toEqual(['patientOnBothSides']);
  });
});

describe('the file of a split', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'split-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('returns what was written', async () => {
    const split = makeSplit(setOf([{}, {}, { split: 'test' }]), { folds: 2, seed: 7 });
    await writeSplit(join(folder, 's.json'), split);
    expect(await readSplit(join(folder, 's.json'))).toEqual(split);
  });

  it('may be that of nnU-Net; anything else is refused', async () => {
    await writeFile(join(folder, 'n.json'), '[{"train": ["a"], "val": ["b"]}]');
    expect(await readSplit(join(folder, 'n.json'))).toEqual({
      folds: [{ train: ['a'], validation: ['b'] }],
      test: [],
      seed: null,
    });
    await writeFile(join(folder, 'x.json'), '{"folds": 3}');
    await expect(readSplit(join(folder, 'x.json'))).rejects.toMatchObject({ code: 'data' });
  });
});
