import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { put, putLabels, putVolume } from '../../../../../test/labelled/makeSets.ts';
import { openLabelled } from '../openLabelled.ts';
import { planDataset } from '../plan/planDataset.ts';
import { readPresentClasses } from './presentClasses.ts';
import { makeSplit } from './split.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'present-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** Eight cases with a liver; the last two have a tumour too. */
async function putSet(folder: string, tumours: number): Promise<string> {
  const liver = [
    [1, 2, 2],
    [5, 6, 6],
  ] as const;
  const tumour = [
    [5, 7, 7],
    [7, 9, 9],
  ] as const;
  for (let n = 0; n < 8; n++) {
    await putVolume(join(folder, 'images', `${n}.nii`), { seed: `${folder} ${n}` });
    await putLabels(join(folder, 'labels', `${n}.nii`), n >= 8 - tumours ? { 1: liver, 7: tumour } : { 1: liver });
  }
  await put(join(folder, 'labels.json'), JSON.stringify({ background: 0, liver: 1, tumour: 7 }));
  return folder;
}

it('folds of a segmentation have their share of a rare class, and a run makes those that were planned', async () => {
  const set = await putSet(join(root, 'rare'), 2);
  const dataset = await openLabelled(set);
  const present = await readPresentClasses(dataset);
  expect(present.get('0')).toEqual([1]);
  expect(present.get('7')).toEqual([1, 2]);
  const machine = { cores: 2, memory: 2 ** 35, gpu: null };
  for (const seed of [0, 1, 2, 3]) {
    const { folds } = makeSplit(dataset, { folds: 2, seed, present });
    for (const { train, validation } of folds) {
      expect(train).toHaveLength(4);
      expect(validation.filter((id) => id >= '6')).toHaveLength(1);
    }
    const planned = await planDataset(set, { machine, folds: 2, seed });
    expect(planned.split.folds).toEqual(folds);
    expect(planned.findings).toEqual([]);
  }
});

it('a class that a fold does not train on is named', async () => {
  const set = await putSet(join(root, 'single'), 1);
  const machine = { cores: 2, memory: 2 ** 35, gpu: null };
  const { findings } = await planDataset(set, { machine, folds: 2 });
  expect(findings).toMatchObject([
    { severity: 'warning', kind: 'missingClass', what: expect.stringContaining('of the class “tumour” in fold') },
  ]);
});
