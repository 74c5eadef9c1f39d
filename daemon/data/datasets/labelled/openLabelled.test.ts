import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { put, putLabels, putMask, putNnunet, putPicture, putVolume } from '../../../../test/labelled/makeSets.ts';
import { folderOf } from '../../../../test/needs.ts';
import { openLabelled } from './openLabelled.ts';
import type { LabelledDataset } from './types.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'labelled-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const ids = ({ cases }: LabelledDataset) => cases.map(({ id }) => id);
const kinds = ({ problems }: LabelledDataset) => problems.map(({ kind }) => kind);

describe('nnU-Net', () => {
  it('cases with several channels, test images, an ignored label', async () => {
    const labels = { background: 0, liver: 1, tumour: 2, ignore: 3 };
    const set = join(root, 'nnunet');
    await putNnunet(set, { cases: 2, tests: 1, channels: ['T1', 'T2'], labels });
    const dataset = await openLabelled(set);
    expect(dataset).toMatchObject({
      problem: 'segmentation',
      layout: 'nnunet',
      modality: '3D',
      exclusive: true,
      channels: ['T1', 'T2'],
      ignore: 3,
      problems: [],
    });
    expect(dataset.labels).toEqual([
      { name: 'background', values: [0] },
      { name: 'liver', values: [1] },
      { name: 'tumour', values: [2] },
    ]);
    expect(dataset.cases.map(({ id, split, channels }) => [id, split, channels.length])).toEqual([
      ['case_001', null, 2],
      ['case_002', null, 2],
      ['case_003', 'test', 2],
    ]);
    expect(dataset.cases[0]).toMatchObject({ label: { kind: 'map', path: join(set, 'labelsTr/case_001.nii') } });
    expect((await openLabelled(join(set, 'dataset.json'))).cases).toEqual(dataset.cases);
  });

  it('regions overlap', async () => {
    const set = await putNnunet(join(root, 'regions'), { labels: { background: 0, whole: [1, 2], core: [2] } });
    const { exclusive, labels } = await openLabelled(set);
    expect(exclusive).toBe(false);
    expect(labels).toEqual([
      { name: 'whole', values: [1, 2] },
      { name: 'core', values: [2] },
    ]);
  });

  it('names labels without an image, images without a label, and missing channels, all at once', async () => {
    const set = await putNnunet(join(root, 'gaps'), { cases: 3, channels: ['T1', 'T2'] });
    await rm(join(set, 'labelsTr/case_001.nii'));
    await rm(join(set, 'imagesTr/case_002_0001.nii'));
    await putVolume(join(set, 'imagesTr/other.nii'));
    await putLabels(join(set, 'labelsTr/lost.nii'), {});
    const dataset = await openLabelled(set);
    expect(ids(dataset)).toEqual(['case_003']);
    expect(dataset.problems.map(({ kind, place }) => [kind, place.slice(set.length + 1)])).toEqual([
      ['channels', 'imagesTr/other.nii'],
      ['missingLabel', 'imagesTr/case_001_0000.nii'],
      ['channels', 'imagesTr/case_002_0000.nii'],
      ['missingImage', 'labelsTr/case_002.nii'],
      ['missingImage', 'labelsTr/lost.nii'],
    ]);
  });

  it('patients.csv says who the cases are of', async () => {
    const set = await putNnunet(join(root, 'patients'), { cases: 3 });
    await put(join(set, 'patients.csv'), 'case,patient,split\ncase_001,p1,train\ncase_002,p1,test\nnobody,p3,\n');
    const dataset = await openLabelled(set);
    expect(dataset.cases.map(({ patient, split }) => [patient, split])).toEqual([
      ['p1', 'train'],
      ['p1', 'test'],
      ['case_003', null],
    ]);
    expect(dataset.problems).toMatchObject([
      { kind: 'missingFile', place: expect.stringMatching(/patients\.csv:4$/) },
      { kind: 'patientOnBothSides', what: expect.stringContaining('case_001') },
    ]);
  });

  it('refuses a description that is none', async () => {
    const set = await putNnunet(join(root, 'bad'), { labels: { background: 0, a: 1, b: 1 } });
    await expect(openLabelled(set)).rejects.toThrow(/value 1 to two labels/);
    await writeFile(join(set, 'dataset.json'), '{"channel_names": {"0": "CT"}, "labels": {"a": "x"}}');
    await expect(openLabelled(set)).rejects.toThrow(/labels\.a/);
    await writeFile(join(set, 'dataset.json'), '{"channel_names"');
    await expect(openLabelled(set)).rejects.toThrow(/not valid JSON/);
    await rm(join(set, 'dataset.json'));
    execFileSync('mkfifo', [join(set, 'dataset.json')]);
    await expect(openLabelled(set)).rejects.toThrow(/is a named pipe/);
  });
});

it('the Decathlon: pairs that dataset.json lists, labels by value', async () => {
  const set = join(root, 'decathlon');
  for (const name of ['a', 'b']) {
    await putVolume(join(set, `imagesTr/${name}.nii`));
    await putLabels(join(set, `labelsTr/${name}.nii`), {});
  }
  await putVolume(join(set, 'imagesTs/t.nii'));
  const entry = (name: string) => ({ image: `./imagesTr/${name}.nii`, label: `./labelsTr/${name}.nii` });
  await put(
    join(set, 'dataset.json'),
    JSON.stringify({
      name: 'Spleen',
      modality: { 0: 'CT' },
      labels: { 0: 'background', 1: 'spleen' },
      training: [entry('a'), entry('b'), entry('gone'), entry('a')],
      test: ['./imagesTs/t.nii'],
    }),
  );
  const dataset = await openLabelled(set);
  expect(dataset).toMatchObject({
    layout: 'decathlon',
    name: 'Spleen',
    channels: ['CT'],
    labels: [{}, { name: 'spleen', values: [1] }],
  });
  expect(dataset.cases).toMatchObject([{ id: 'a' }, { id: 'b' }, { id: 't', split: 'test', label: null }]);
  expect(kinds(dataset)).toEqual(['missingFile', 'repeatedRow']);
});

describe('pairs of folders', () => {
  it('volumes: values of unnamed labels are found in the maps', async () => {
    const set = join(root, 'pairs');
    await putVolume(join(set, 'images/a_ct.nii'));
    await putLabels(join(set, 'labels/a_seg.nii'), {
      4: [
        [0, 0, 0],
        [1, 1, 1],
      ],
      7: [
        [1, 0, 0],
        [2, 1, 1],
      ],
    });
    const dataset = await openLabelled(set);
    expect(dataset).toMatchObject({
      layout: 'pairs',
      modality: '3D',
      exclusive: true,
      channels: ['image'],
      problems: [],
    });
    expect(dataset.labels.map(({ name, values }) => [name, ...values])).toEqual([
      ['background', 0],
      ['label 4', 4],
      ['label 7', 7],
    ]);
    await put(join(set, 'labels.json'), '{"background": 0, "vein": 4, "artery": 7}');
    expect((await openLabelled(set)).labels.map(({ name }) => name)).toEqual(['background', 'vein', 'artery']);
  });

  it('pictures with one mask, in folders for training and testing', async () => {
    const set = join(root, 'pictures');
    for (const [split, name] of [
      ['train', 'a'],
      ['train', 'b'],
      ['test', 'c'],
    ] as const) {
      await putPicture(join(set, split, 'images', `${name}.png`), { color: true });
      await putMask(join(set, split, 'masks', `${name}_segmentation.png`), [3, 9]);
    }
    const dataset = await openLabelled(set);
    expect(dataset).toMatchObject({ modality: '2D', channels: ['red', 'green', 'blue'], problems: [] });
    expect(dataset.labels).toEqual([
      { name: 'background', values: [0] },
      { name: 'foreground', values: [255] },
    ]);
    expect(dataset.cases.map(({ id, split }) => [id, split])).toEqual([
      ['test/c', 'test'],
      ['train/a', 'train'],
      ['train/b', 'train'],
    ]);
  });

  it('several overlapping masks, by structure or by image', async () => {
    for (const [name, place] of [
      ['structures', (structure: string, image: string) => `masks/${structure}/${image}.png`],
      ['byImage', (structure: string, image: string) => `masks/${image}/${structure}.png`],
    ] as const) {
      const set = join(root, name);
      for (const image of ['x', 'y']) await putPicture(join(set, 'images', `${image}.png`));
      await putMask(join(set, place('heart', 'x')), [3, 9]);
      await putMask(join(set, place('lung', 'x')), [8, 20]);
      await putMask(join(set, place('heart', 'y')), [3, 9]);
      const dataset = await openLabelled(set);
      expect(dataset).toMatchObject({ exclusive: false, labels: [{ name: 'heart' }, { name: 'lung' }], problems: [] });
      const path = (structure: string, image: string) => join(set, place(structure, image));
      expect(dataset.cases).toMatchObject([
        { id: 'x', label: { kind: 'masks', paths: [path('heart', 'x'), path('lung', 'x')] } },
        { id: 'y', label: { kind: 'masks', paths: [path('heart', 'y'), null] } },
      ]);
    }
  });

  it('images and labels in one folder, and a folder a case', async () => {
    const beside = join(root, 'beside');
    await putVolume(join(beside, 'lung1_image.nii'));
    await putLabels(join(beside, 'lung1_label.nii'), {
      1: [
        [0, 0, 0],
        [2, 2, 2],
      ],
    });
    expect((await openLabelled(beside)).cases).toMatchObject([
      { id: 'lung1', label: { path: join(beside, 'lung1_label.nii') } },
    ]);
    const folders = join(root, 'caseFolders');
    await putVolume(join(folders, 's1/ct.nii'));
    await putLabels(join(folders, 's1/segmentations/liver.nii'), {});
    expect(await openLabelled(folders)).toMatchObject({
      exclusive: false,
      labels: [{ name: 'liver' }],
      cases: [{ id: 's1' }],
    });
  });
});

describe('tables', () => {
  const images = async (set: string, names: readonly string[]) => {
    for (const name of names) await putPicture(join(set, `${name}.png`));
  };

  it('one column of classes, with patients and splits', async () => {
    const set = join(root, 'table');
    await images(set, ['a', 'b', 'c']);
    await put(
      join(set, 'labels.tsv'),
      'path\tlabel\tpatient\tsplit\na.png\tnormal\tp1\ttrain\nb.png\tcovid\tp2\ttest\nc.png\t\tp3\t\n',
    );
    const dataset = await openLabelled(set);
    expect(dataset).toMatchObject({
      problem: 'classification',
      exclusive: true,
      labels: [
        { name: 'covid', values: [0] },
        { name: 'normal', values: [1] },
      ],
      problems: [],
    });
    expect(dataset.cases).toMatchObject([
      { id: 'a.png', patient: 'p1', split: 'train', classes: [1] },
      { id: 'b.png', patient: 'p2', split: 'test', classes: [0] },
      { id: 'c.png', patient: 'p3', split: null, classes: null },
    ]);
  });

  it('several columns: several classes at once; a column of other numbers is none', async () => {
    const set = join(root, 'several');
    await images(set, ['a', 'b', 'c']);
    const file = await put(join(set, 'data.csv'), 'path,effusion,oedema,age\na.png,1,1,60\nb.png,0,0,1\nc.png,,,0\n');
    const dataset = await openLabelled(file);
    expect(dataset).toMatchObject({ exclusive: false, labels: [{ name: 'effusion' }, { name: 'oedema' }] });
    expect(dataset.cases.map((one) => 'classes' in one && one.classes)).toEqual([[0, 1], [], null]);
    expect(dataset.problems).toMatchObject([{ severity: 'warning', kind: 'table', place: `${file}:2` }]);
  });

  it('names the line of each mistake: repeated, missing, outside, unknown split, broken', async () => {
    const set = join(root, 'mistakes');
    await images(set, ['a', 'b']);
    await writeFile(join(set, 'broken.png'), 'no picture');
    const lines = ['a.png,x,', 'a.png,y,', 'gone.png,y,', '../out.png,y,', 'b.png,y,somewhere', 'broken.png,y,', ',x,'];
    const file = await put(join(set, 'data.csv'), ['path,label,split', ...lines].join('\n'));
    const { problems, cases } = await openLabelled(file);
    expect(problems.map(({ kind, place }) => [kind, place.slice(set.length + 1)])).toEqual([
      ['repeatedRow', 'data.csv:3'],
      ['missingFile', 'data.csv:4'],
      ['table', 'data.csv:5'],
      ['table', 'data.csv:6'],
      ['table', 'data.csv:8'],
      ['brokenFile', 'broken.png'],
    ]);
    expect(cases.map(({ id }) => id)).toEqual(['a.png']);
  });

  it('refuses tables without path, without classes, with one class, with ragged lines', async () => {
    const refused = async (text: string) => openLabelled(await put(join(root, 'refused.csv'), text));
    await expect(refused('image,label\n')).rejects.toThrow(/no column “path”/);
    await expect(refused('path,patient\na.png,1\n')).rejects.toThrow(/no column with classes/);
    await expect(refused('path,label\na.png,x\n')).rejects.toThrow(/only the class “x”/);
    await expect(refused('path,label\na.png\n')).rejects.toThrow(/refused\.csv:2: has 1 columns/);
  });
});

it('folders by class, with train and test above', async () => {
  const set = join(root, 'classes');
  for (const [split, name] of [
    ['train', 'covid'],
    ['train', 'normal'],
    ['test', 'covid'],
  ] as const)
    await putPicture(join(set, split, name, 'a.png'));
  const dataset = await openLabelled(set);
  expect(dataset).toMatchObject({ layout: 'classFolders', labels: [{ name: 'covid' }, { name: 'normal' }] });
  expect(dataset.cases).toMatchObject([
    { id: 'test/covid/a.png', split: 'test', classes: [0] },
    { id: 'train/covid/a.png', split: 'train', classes: [0] },
    { id: 'train/normal/a.png', split: 'train', classes: [1] },
  ]);
});

it('refuses what is no data set, another layout than the wanted one, and a set without a usable case', async () => {
  const set = join(root, 'nothing');
  await putPicture(join(set, 'a.png'));
  await expect(openLabelled(set)).rejects.toThrow(/not a labelled data set of a known layout/);
  await expect(openLabelled(set, { layout: 'table' })).rejects.toThrow(/layout "table"/);
  await expect(openLabelled(join(set, 'absent'))).rejects.toThrow(/does not exist/);
  const dangling = join(root, 'dangling');
  await putMask(join(dangling, 'masks/a.png'), [1, 2]);
  await put(join(dangling, 'images/.keep'), '');
  await symlink('/nowhere/a.png', join(dangling, 'images/a.png'));
  await expect(openLabelled(dangling)).rejects.toThrow(/no usable case:\n.*a\.png: does not exist/);
});

it('pictures among volumes are named; opening can be cancelled', async () => {
  const set = join(root, 'mixed');
  for (const name of ['a', 'b']) {
    await putVolume(join(set, `images/${name}.nii`));
    await putLabels(join(set, `masks/${name}.nii`), {
      1: [
        [0, 0, 0],
        [2, 2, 2],
      ],
    });
  }
  await putPicture(join(set, 'images/c.png'));
  await putMask(join(set, 'masks/c.png'), [1, 2]);
  const { problems, cases } = await openLabelled(set);
  expect(problems.map(({ kind }) => kind)).toEqual(['modality', 'modality']);
  expect(cases).toHaveLength(2);
  await putVolume(join(set, 'images/a_ct.nii'));
  expect((await openLabelled(set)).problems).toContainEqual(
    expect.objectContaining({ kind: 'repeatedRow', what: expect.stringContaining('“a”') }),
  );
  await expect(openLabelled(set, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'interrupted' });
});

const labelled = folderOf('labelled');
it.skipIf(!labelled)('real images: nnU-Net sets of CT and MR', async () => {
  const organs = await openLabelled(join(labelled ?? '', 'organs'));
  expect(organs).toMatchObject({ layout: 'nnunet', modality: '3D', channels: ['CT'], problems: [] });
  expect(organs.labels).toHaveLength(118);
  expect(organs.cases.map(({ id }) => id)).toEqual(['body', 'slab']);
  expect(await openLabelled(join(labelled ?? '', 'organs-mr'))).toMatchObject({ channels: ['MR'], problems: [] });
});
