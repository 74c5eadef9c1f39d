import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { put, putLabels, putMask, putNnunet, putPicture, putVolume } from '../../../../../test/labelled/makeSets.ts';
import { folderOf } from '../../../../../test/needs.ts';
import { encodeNifti } from '../../../formats/niftiWriter.ts';
import { openLabelled } from '../openLabelled.ts';
import { checkLabelled } from './checkLabelled.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'check-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const image = (set: string, n: number) => join(set, `imagesTr/case_00${n}_0000.nii`);
const label = (set: string, n: number) => join(set, `labelsTr/case_00${n}.nii`);
const check = async (set: string) => {
  const dataset = await openLabelled(set);
  return { dataset, ...(await checkLabelled(dataset)) };
};

it('a sound data set has no finding; counts, spacing and foreground values are measured', async () => {
  const set = await putNnunet(join(root, 'sound'));
  const { findings, measures } = await check(set);
  expect(findings).toEqual([]);
  const [first] = measures;
  expect(first?.files).toMatchObject([{ size: [8, 12, 12], spacing: [3, 1, 1] }]);
  // The boxes of the two labels have 4·6·1 voxels each: [2, 3, 1]–[6, 9, 2] and [2, 3, 2]–[6, 9, 3].
  expect(first?.label).toMatchObject({ voxels: [8 * 12 * 12 - 48, 24, 24], unknown: [], overlapping: 0 });
  expect(first?.label?.columns.slice(1)).toEqual([1, 2]);
  const [channel] = first?.channels ?? [];
  expect(channel?.sample).toHaveLength(48);
  // The foreground lies within the body.
  expect(channel?.sample.every((value) => value > 0 && value < 100)).toBe(true);
  expect(channel?.min).toBeLessThan(-900);
});

it('finds everything at once: values, geometry, emptiness, duplicates, HU, NaN', async () => {
  const set = await putNnunet(join(root, 'faults'), { cases: 9 });
  await putLabels(label(set, 1), {
    1: [
      [0, 0, 0],
      [2, 2, 2],
    ],
    9: [
      [3, 0, 0],
      [4, 1, 1],
    ],
  });
  await putLabels(
    label(set, 2),
    {
      1: [
        [0, 0, 0],
        [2, 2, 2],
      ],
    },
    { shape: [8, 12, 10] },
  );
  await putLabels(
    label(set, 3),
    {
      1: [
        [0, 0, 0],
        [2, 2, 2],
      ],
    },
    { spacing: [5, 1, 1] },
  );
  await putLabels(label(set, 4), {});
  await putVolume(image(set, 6), { seed: 'case_005 0' });
  await putVolume(image(set, 7), { range: [0, 255] });
  await putVolume(image(set, 8), { range: [20, 3000] });
  const values = new Float32Array(8 * 12 * 12).fill(-1000);
  values[5] = Number.NaN;
  await writeFile(image(set, 9), encodeNifti({ shape: [8, 12, 12], spacing: [3, 1, 1], data: values }));
  const { findings } = await check(set);
  const told = findings.map(({ severity, kind, place }) => [severity, kind, place]);
  expect(told).toEqual([
    ['error', 'unknownValue', label(set, 1)],
    ['error', 'geometry', label(set, 2)],
    ['error', 'geometry', label(set, 3)],
    ['warning', 'emptyForeground', label(set, 4)],
    ['warning', 'notHu', image(set, 7)],
    ['warning', 'notHu', image(set, 8)],
    ['error', 'notFinite', image(set, 9)],
    ['error', 'duplicate', image(set, 6)],
  ]);
  expect(findings[0]?.what).toBe('has values that no label has: 9 (1 voxels)');
  expect(findings.every(({ remedy }) => /^[A-Z].*\.$/.test(remedy))).toBe(true);
});

it('duplicates of one patient are a warning', async () => {
  const set = await putNnunet(join(root, 'twins'), { cases: 2 });
  await putVolume(image(set, 2), { seed: 'case_001 0' });
  await put(join(set, 'patients.csv'), 'case,patient\ncase_001,p\ncase_002,p\n');
  expect((await check(set)).findings).toMatchObject([{ severity: 'warning', kind: 'duplicate', place: image(set, 2) }]);
});

it('a label that is stored in another orientation than its image fits it', async () => {
  const set = await putNnunet(join(root, 'turned'), { cases: 1 });
  // The array [slice, row, column] with columns from left to right: the other way round, and its affine says so.
  const shape = [8, 12, 12] as const;
  const data = new Uint8Array(8 * 12 * 12);
  for (let i = 0; i < data.length; i += 12) data[i + 11] = 1;
  const half = [10.5, 5.5, 5.5] as const;
  const affine = [
    [0, 0, 1, -half[2]],
    [0, -1, 0, half[1]],
    [-3, 0, 0, half[0]],
  ] as const;
  await writeFile(label(set, 1), encodeNifti({ shape, spacing: [3, 1, 1], data, affine }));
  const { findings, measures } = await check(set);
  expect(findings.map(({ kind }) => kind)).toEqual(['unusedClass']);
  expect(measures[0]?.label?.columns[1]).toBe(0);
});

it('left structures on the right side, and an unusual thick axis, are implausible', async () => {
  const labels = { background: 0, kidney_right: 1, kidney_left: 2 };
  const set = await putNnunet(join(root, 'mirrored'), { cases: 6, labels });
  const [right, left] = [
    [
      [1, 1, 1],
      [7, 11, 4],
    ],
    [
      [1, 1, 8],
      [7, 11, 11],
    ],
  ] as const;
  for (let n = 1; n <= 6; n++) await putLabels(label(set, n), { 1: right, 2: left });
  expect((await check(set)).findings).toEqual([]);
  await putLabels(label(set, 2), { 1: left, 2: right });
  await putVolume(image(set, 3), { spacing: [1, 3, 1] });
  await putLabels(label(set, 3), { 1: right, 2: left }, { spacing: [1, 3, 1] });
  expect((await check(set)).findings).toMatchObject([
    { kind: 'orientation', place: label(set, 2), what: expect.stringContaining('kidney_left') },
    { kind: 'orientation', place: image(set, 3), what: expect.stringContaining('front–back') },
  ]);
});

it('pictures: colour among grey, colour where grey is expected, overlapping masks', async () => {
  const set = join(root, 'pictures');
  for (let n = 0; n < 6; n++) {
    await putPicture(join(set, `images/${n}.png`), { color: n === 5 });
    await putMask(join(set, `masks/heart/${n}.png`), [3, 12]);
    await putMask(join(set, `masks/lung/${n}.png`), [8, 20]);
  }
  const { findings, measures } = await check(set);
  expect(findings).toMatchObject([{ kind: 'colour', place: join(set, 'images/5.png') }]);
  expect(measures[0]?.label).toMatchObject({ voxels: [81, 144], overlapping: 16 });
  const expectsGrey = await openLabelled(set).then((dataset) => ({ ...dataset, channels: ['X-ray'] }));
  expect((await checkLabelled(expectsGrey)).findings).toMatchObject([
    { severity: 'error', kind: 'colour' },
    { severity: 'warning' },
  ]);
});

it('reports progress, and stops when it is cancelled', async () => {
  const dataset = await openLabelled(await putNnunet(join(root, 'progress'), { cases: 3 }));
  const seen: string[] = [];
  await checkLabelled(dataset, { workers: 2, onProgress: (done, total) => seen.push(`${done}/${total}`) });
  expect(seen).toEqual(['1/3', '2/3', '3/3']);
  const controller = new AbortController();
  const checking = checkLabelled(dataset, {
    workers: 1,
    onProgress: () => controller.abort(),
    signal: controller.signal,
  });
  await expect(checking).rejects.toMatchObject({ code: 'interrupted' });
});

const labelled = folderOf('labelled');
it.skipIf(!labelled)('real images: geometry and sides of CT and MR are right', async () => {
  const organs = await check(join(labelled ?? '', 'organs'));
  expect(organs.findings.filter(({ kind }) => kind !== 'unusedClass')).toEqual([]);
  const body = organs.measures[0]?.label?.voxels.filter((count) => count > 0) ?? [];
  expect(body).toHaveLength(62); // 61 of 117, and the background
  const mr = await check(join(labelled ?? '', 'organs-mr'));
  expect(mr.findings.filter(({ kind }) => kind !== 'unusedClass')).toEqual([]);
});

it.skipIf(!labelled)('real images: NRRD beside its label, and a DICOM series with NIfTI labels', async () => {
  const lesion = await check(join(labelled ?? '', 'lesion'));
  expect(lesion.dataset).toMatchObject({ layout: 'pairs', cases: [{ id: 'lung1' }] });
  expect(lesion.findings).toEqual([]);
  expect(lesion.measures[0]?.label?.voxels[1]).toBe(837);
  const set = join(root, 'dicom');
  await cp(join(labelled ?? '', 'dicom/ct'), join(set, 'images/ct'), { recursive: true });
  await cp(join(labelled ?? '', 'dicom/ct-labels.nii.gz'), join(set, 'labels/ct.nii.gz'));
  const dicom = await check(set);
  expect(dicom.findings).toEqual([]);
  expect(dicom.measures[0]?.files).toMatchObject([{ path: join(set, 'images/ct'), size: [20, 512, 512] }]);
  expect(dicom.measures[0]?.label?.voxels.filter((count) => count > 0)).toHaveLength(32);
});
