import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { encode } from 'fast-png';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { folderOf } from '../../../test/needs.ts';
import { dicomFixture } from '../formats/dicom/dicom.fixture.ts';
import { niftiFixture } from '../formats/nifti.fixture.ts';
import { naturalOrder } from './files.ts';
import { describeIgnored } from './ignoredFiles.ts';
import { brokenReason, openDataset, requireImage } from './unlabelled.ts';

const base = mkdtempSync(join(tmpdir(), 'dataset-'));
afterAll(() => rmSync(base, { recursive: true }));
let dir = base;
let count = 0;
beforeEach(() => {
  dir = join(base, `${count++}`);
  mkdirSync(dir);
});
const save = (name: string, bytes: Uint8Array | string) => {
  mkdirSync(dirname(join(dir, name)), { recursive: true });
  writeFileSync(join(dir, name), bytes);
};
const volume = niftiFixture({ values: Array.from({ length: 24 }, (_, i) => i) });
const image = encode({ width: 4, height: 4, data: new Uint8Array(16), depth: 8, channels: 1 });
const ids = (samples: readonly { id: string }[]) => samples.map(({ id }) => id);

describe('a folder', () => {
  it('is searched at any depth, in natural order, and the content decides what a file is', async () => {
    save('ct/scan10.nii.gz', gzipSync(volume));
    save('ct/scan2.nii', volume);
    save('ct/deep/er/a.nii.gz', volume); // not compressed despite its name
    save('xray/10.png', image);
    save('xray/9.PNG', image);
    save('xray/without-extension', image);
    save('ct/without-extension', gzipSync(volume));
    const data = await openDataset({ paths: dir });
    expect(data.root).toBe(dir);
    expect(ids(data.samples3D)).toEqual([
      'ct/deep/er/a.nii.gz',
      'ct/scan2.nii',
      'ct/scan10.nii.gz',
      'ct/without-extension',
    ]);
    expect(ids(data.samples2D)).toEqual(['xray/9.PNG', 'xray/10.png', 'xray/without-extension']);
    expect(data.samples('2D')).toBe(data.samples2D);
    expect(data.samples('3D')[0]).toEqual({
      id: 'ct/deep/er/a.nii.gz',
      path: join(dir, 'ct/deep/er/a.nii.gz'),
      kind: '3D',
    });
    expect(data.broken).toEqual([]);
  });

  it('lists what it skips, with the reason', async () => {
    save('a.png', image);
    save('README.md', '# Notes\n');
    save('table.csv.gz', gzipSync('a,b\n'));
    save('._a.png', 'x');
    const { root, samples2D, ignored, broken } = await openDataset({ paths: dir });
    expect(describeIgnored({ root, ignored }, true)).toBe(
      '3 files were skipped: 1 hidden file (._a.png), 1 text file (README.md), 1 gzip file without a NIfTI volume (table.csv.gz)',
    );
    expect(describeIgnored({ root, ignored }, false)).toBe('3 files were skipped, because only images are used');
    const notes = ['b.json', 'c.txt', 'd.md', 'e.csv'].map((name) => ({
      path: join(root, name),
      why: 'is a text file',
    }));
    const twin = { path: join(root, 'f.png'), why: 'is the same as a.png' };
    expect(describeIgnored({ root, ignored: [...notes, twin] }, true)).toBe(
      '5 files were skipped: 4 text files (b.json, c.txt, d.md, 1 more), 1 file that is the same as a.png',
    );
    expect(describeIgnored({ root, ignored: [] }, true)).toBeUndefined();
    expect(ids(samples2D)).toEqual(['a.png']);
    expect(broken).toEqual([]);
    expect(ignored.map(({ path, why }) => `${path.slice(dir.length + 1)} ${why}`)).toEqual([
      '._a.png is hidden (its name begins with a dot)',
      'README.md is a text file',
      'table.csv.gz is a gzip file without a NIfTI volume',
    ]);
  });

  it('takes a DICOM series as one volume, other DICOM files as an image each, and names what belongs to neither', async () => {
    for (const [i, z] of [4, 0, 8].entries())
      save(`ct/series/IM${i}`, dicomFixture({ position: [0, 0, z], number: i + 1 }));
    save('ct/series/scout', dicomFixture({ series: '1.2.3.5', number: 9, rows: 7 }));
    save(
      'ct/multi.dcm',
      dicomFixture({
        frames: 2,
        framePositions: [
          [0, 0, 0],
          [0, 0, 1],
        ],
      }),
    );
    save('ct/two/a', dicomFixture({ series: '1.1', number: 1, position: [0, 0, 1] }));
    save('ct/two/b', dicomFixture({ series: '1.1', number: 2, position: [0, 0, 2] }));
    save('ct/two/c', dicomFixture({ series: '1.2', number: 3, position: [0, 0, 1] }));
    save('ct/two/d', dicomFixture({ series: '1.2', number: 4, position: [0, 0, 2] }));
    const xray = { modality: 'DX', position: undefined, orientation: undefined };
    save('xray/1.dcm', dicomFixture({ ...xray, number: 11 }));
    save('xray/2.dcm', dicomFixture({ ...xray, number: 12, series: '1.2.4' }));
    save('xray/3.dcm', dicomFixture(xray).subarray(0, 400));
    const data = await openDataset({ paths: dir, maxBroken: 0.9 });
    expect(ids(data.samples3D)).toEqual(['ct/multi.dcm', 'ct/series']);
    expect(ids(data.samples2D)).toEqual(['xray/1.dcm', 'xray/2.dcm']);
    expect(data.ignored).toEqual([{ path: join(dir, 'ct/series/scout'), why: 'belongs to another series' }]);
    expect(data.broken.map(({ id, reason }) => `${id} ${reason}`)).toEqual([
      expect.stringMatching(/^ct\/two holds two series of equal standing/),
      expect.stringMatching(/^xray\/3.dcm has a damaged DICOM header/),
    ]);
    save('list.csv', 'path,label\nct/series,healthy\nxray/2.dcm,ill\n');
    const listed = await openDataset({ manifest: join(dir, 'list.csv') });
    expect(listed.samples3D.map(({ id, label }) => [id, label])).toEqual([['ct/series', 'healthy']]);
    expect(ids(listed.samples2D)).toEqual(['xray/2.dcm']);
  });

  it('follows links once, so that circles end and nothing counts twice', async () => {
    save('real/a.png', image);
    symlinkSync(dir, join(dir, 'real/up'));
    symlinkSync(join(dir, 'real'), join(dir, 'again'));
    symlinkSync(join(dir, 'real/a.png'), join(dir, 'z.png'));
    symlinkSync('self', join(dir, 'self'));
    const data = await openDataset({ paths: dir, maxBroken: 1 });
    expect(data.samples2D).toHaveLength(1);
    expect(data.ignored.map(({ why }) => why).join()).toMatch(/is the same as/);
    expect(data.ignored.map(({ path }) => path)).toContain(join(dir, 'self'));
  });

  it('names pipes and folders that call themselves images, and opens no pipe', async () => {
    save('a.png', image);
    for (const name of ['b.png', 'notes.txt']) execFileSync('mkfifo', [join(dir, name)]);
    save('full.nii/scan.nii', volume);
    save('other.nii.gz/notes.md', 'no image');
    mkdirSync(join(dir, 'empty.nii'));
    const { samples2D, samples3D, broken, ignored } = await openDataset({ paths: dir, maxBroken: 1 });
    expect([...ids(samples2D), ...ids(samples3D)]).toEqual(['a.png', 'full.nii/scan.nii']);
    expect(broken).toEqual([
      { id: 'b.png', reason: 'is a named pipe, not a file' },
      { id: 'empty.nii', reason: 'is a folder' },
      { id: 'other.nii.gz', reason: 'is a folder' },
    ]);
    expect(ignored).toEqual([
      { path: join(dir, 'notes.txt'), why: 'is not a regular file' },
      { path: join(dir, 'other.nii.gz/notes.md'), why: 'is a text file' },
    ]);
    save('list.csv', 'path\na.png\nb.png\nempty.nii\n');
    const listed = await openDataset({ manifest: join(dir, 'list.csv'), maxBroken: 1 });
    expect(listed.broken.map(({ reason }) => reason)).toEqual(['is a named pipe, not a file', 'is a folder']);
  });

  it('reports a dangling link', async () => {
    save('a.png', image);
    symlinkSync(join(dir, 'gone.png'), join(dir, 'b.png'));
    const { broken } = await openDataset({ paths: dir, maxBroken: 1 });
    expect(broken).toEqual([{ id: 'b.png', reason: 'does not exist' }]);
  });

  it('may be several, with ids from the folder above them', async () => {
    save('one/a.png', image);
    save('two/b.nii', volume);
    const data = await openDataset({ paths: [join(dir, 'two'), join(dir, 'one'), join(dir, 'one/a.png')] });
    expect(data.root).toBe(dir);
    expect([...ids(data.samples2D), ...ids(data.samples3D)]).toEqual(['one/a.png', 'two/b.nii']);
  });

  it('must exist and contain images', async () => {
    await expect(openDataset({ paths: join(dir, 'nowhere') })).rejects.toThrow(
      /nowhere: does not exist\n {2}Give a folder/,
    );
    await expect(openDataset({ paths: dir })).rejects.toThrow(/no images found/);
    save('a.txt', 'nothing');
    await expect(openDataset({ paths: dir })).rejects.toThrow(
      /no images found in 1 files \(the first is a text file\)/,
    );
  });
});

describe('broken images', () => {
  const brokenFiles: [string, Uint8Array | string, RegExp][] = [
    ['empty.nii', '', /empty/],
    ['text.nii', 'see the other disk\n', /not an image of a supported format but a text file$/],
    ['truncated.nii.gz', gzipSync(volume).subarray(0, 40), /truncated|too short/],
    ['liar.nii', volume.subarray(0, 370), /claims 400 bytes, but the file holds only 370/],
    ['four.nii', niftiFixture({ size: [4, 3, 2, 2] }), /4-D/],
    ['terabyte.nii', niftiFixture({ size: [32767, 32767, 999] }), /more than the limit/],
    ['cut.png', image.subarray(0, 40), /truncated/],
    [
      'series.png',
      Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), Buffer.alloc(99)]),
      /has a damaged DICOM header/,
    ],
  ];

  it('are all named with their reasons before training', async () => {
    for (const [name, bytes] of brokenFiles) save(name, bytes);
    save('sound.nii', volume);
    const data = await openDataset({ paths: dir, maxBroken: 0.95 });
    expect(ids(data.samples3D)).toEqual(['sound.nii']);
    for (const [name, , reason] of brokenFiles) {
      expect(data.broken.find(({ id }) => id === name)?.reason).toMatch(reason);
    }
    expect(data.broken).toHaveLength(brokenFiles.length);
    const told: string[] = [];
    await expect(openDataset({ paths: dir, onBroken: ({ id }) => told.push(id) })).rejects.toThrow(
      /8 of 9 images are broken \(88\.9 %; allowed: 5 %\):\n {2}cut\.png: .*\n(.*\n)*.*terabyte\.nii: claims/,
    );
    expect(told.sort()).toEqual(brokenFiles.map(([name]) => name).sort());
  });

  it('may be as many as the share allows, whether met early or late', async () => {
    for (let i = 0; i < 19; i++) save(`${i}.png`, image);
    save('bad.png', '');
    const data = await openDataset({ paths: dir });
    expect(data.broken).toHaveLength(1);
    const known = { id: 'bad.png', reason: 'again' };
    expect(data.reportBroken(known)).toBe(false);
    expect(() => data.reportBroken({ id: '3.png', reason: 'has NaN' })).toThrow(
      /2 of 20 images .* \(10 %; allowed: 5 %\)[\s\S]*bad\.png: is empty[\s\S]*3\.png: has NaN/,
    );
    await expect(openDataset({ paths: dir, maxBroken: 0 })).rejects.toThrow(/allowed: 0 %/);
  });

  it('are named in the data of the error too, as they are written in its text', async () => {
    save('Miller, Ann.nii', '');
    const refused = openDataset({ paths: dir });
    await expect(refused).rejects.toMatchObject({ details: { images: ['Miller, Ann.nii'] } });
    await expect(refused).rejects.toThrow('Miller, Ann.nii: is empty');
    save('list.csv', 'path\n"../Miller, Ann"\n');
    const listed = openDataset({ manifest: join(dir, 'list.csv') });
    await expect(listed).rejects.toMatchObject({ details: { images: ['../Miller, Ann'] } });
    const single = openDataset({ paths: [join(dir, 'gone.png'), dir] });
    await expect(single).rejects.toMatchObject({ details: { images: [join(dir, 'gone.png')] } });
    await expect(openDataset({ paths: join(dir, 'gone') })).rejects.toMatchObject({ details: { images: [] } });
  });

  it('do not hide defects of ours', () => {
    expect(() => brokenReason(new TypeError('x is undefined'))).toThrow(TypeError);
  });
});

describe('a manifest', () => {
  beforeEach(() => {
    save('ct/1.nii', volume);
    save('ct/2.nii', volume);
    save('x, ray/1.png', image);
  });
  const open = (text: string, name = 'list.csv') => {
    save(name, text);
    return openDataset({ manifest: join(dir, name) });
  };

  it('lists images and labels as CSV, with or without a first line of names', async () => {
    const data = await open('label,path,other\nhealthy,ct/1.nii,7\n,ct/2.nii,8\nill,"x, ray/1.png",9\n');
    expect(data.samples3D.map(({ id, label }) => [id, label])).toEqual([
      ['ct/1.nii', 'healthy'],
      ['ct/2.nii', undefined],
    ]);
    expect(data.samples2D).toEqual([{ id: 'x, ray/1.png', path: join(dir, 'x, ray/1.png'), kind: '2D', label: 'ill' }]);
    expect((await open('ct/2.nii,a\nct/1.nii\n')).samples3D.map(({ id, label }) => [id, label])).toEqual([
      ['ct/2.nii', 'a'],
      ['ct/1.nii', undefined],
    ]);
  });

  it('lists images as JSON lines', async () => {
    const data = await open(
      '\uFEFF{"path": "ct/2.nii", "label": 3}\n\n{"path": "x, ray/1.png", "more": []}\n',
      'list.jsonl',
    );
    expect(data.samples3D[0]).toMatchObject({ id: 'ct/2.nii', label: '3' });
    expect(data.samples2D[0]?.label).toBeUndefined();
  });

  it('reports a listed image that is missing', async () => {
    save('list.csv', 'path\nct/1.nii\nct/9.nii\n');
    const data = await openDataset({ manifest: join(dir, 'list.csv'), maxBroken: 0.5 });
    expect(data.broken).toEqual([{ id: 'ct/9.nii', reason: 'does not exist' }]);
  });

  it.each([
    ['path\n../elsewhere/a.nii\n', /list\.csv:2: the path “\.\.\/elsewhere\/a\.nii” leads out of/],
    ['path\nct/../../a.nii\n', /leads out of/],
    ['/etc/hosts\n', /list\.csv:1: the path “\/etc\/hosts” leads out of/],
    ['path,label\nct/1.nii,a\nct/2.nii,b\n./ct/1.nii,c\n', /list\.csv:4: .* is already listed in line 2/],
    ['path,label\n,a\n', /list\.csv:2: has no path/],
    ['path\n"ct/1.nii\n', /not a valid table/],
    ['{"path": 3}\n', /list\.csv:1: is not of the form/],
    ['{"path": "ct/1.nii"}\n{oops\n', /list\.csv:2: is not JSON$/],
    ['path\n"ct/1.nii" Ann\n', /not a valid table \((?!.*Ann)/],
    ['', /lists no images/],
  ])('is refused with its line: %j', async (text, reason) => {
    await expect(open(text)).rejects.toThrow(reason);
  });

  it('does not follow a link out of its folder', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'outside-'));
    writeFileSync(join(outside, 'a.png'), image);
    symlinkSync(outside, join(dir, 'link'));
    await expect(open('link/a.png\n')).rejects.toThrow(/leads out of/);
    rmSync(outside, { recursive: true });
  });
});

describe('the quick look for an image', () => {
  it('finds one by its name or its content, at any depth', async () => {
    save('a.txt', 'nothing');
    await expect(requireImage({ paths: dir })).rejects.toThrow(/no images found in 1 files/);
    save('b/c/scan', volume);
    await requireImage({ paths: dir });
    await requireImage({ paths: join(dir, 'b/c/scan') });
    save('0.png', 'not asked whether it is sound');
    await requireImage({ paths: [dir] });
  });

  it('refuses as openDataset does', async () => {
    for (const data of [{ paths: join(dir, 'nowhere') }, { paths: dir }, { manifest: join(dir, 'none.csv') }]) {
      const refused = await openDataset(data).catch((error: unknown) => error as Error);
      await expect(requireImage(data)).rejects.toThrow((refused as Error).message);
    }
    save('list.csv', 'path\na.png\n');
    await requireImage({ manifest: join(dir, 'list.csv') });
    save('list.csv', 'path\n');
    await expect(requireImage({ manifest: join(dir, 'list.csv') })).rejects.toThrow(/lists no images/);
  });

  it('gives no answer after a thousand files that are none', async () => {
    for (let i = 0; i < 1000; i++) save(`${i}.txt`, 'x');
    await requireImage({ paths: dir });
  });
});

it('natural order counts and is total', () => {
  expect(['b2', 'a10', 'a2', 'B1', 'a1'].sort(naturalOrder)).toEqual(['a1', 'a2', 'a10', 'B1', 'b2']);
  expect(naturalOrder('a', 'a')).toBe(0);
  expect(naturalOrder('a01', 'a1')).not.toBe(0);
});

const samples = folderOf('samples');
it.skipIf(!samples)('real images serve as they lie there (UNIMISS_SAMPLES)', async () => {
  const data = await openDataset({ paths: samples! });
  expect([data.samples2D.length, data.samples3D.length, data.broken.length]).toEqual([7, 12, 0]);
  expect(data.ignored.map(({ why }) => why)).toEqual([expect.stringMatching(/^is a text file/)]);
});
