import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { UnimissError } from '../../../protocol/errors.ts';
import { folderOf } from '../../../test/needs.ts';
import { inspectImage, readLabels, readVolume } from './image.ts';

const dir = mkdtempSync(join(tmpdir(), 'text-'));
afterAll(() => rmSync(dir, { recursive: true }));
let count = 0;
const folder = () => {
  const made = join(dir, `${count++}`);
  mkdirSync(made);
  return made;
};
const save = (bytes: Uint8Array, name: string) => {
  const path = join(folder(), name);
  writeFileSync(path, bytes);
  return path;
};

const values = Array.from({ length: 24 }, (_, i) => 40 * i - 100);
const shorts = Buffer.from(Int16Array.from(values).buffer);
const nrrdFields = {
  type: 'short',
  dimension: '3',
  space: 'left-posterior-superior',
  sizes: '4 3 2',
  'space directions': '(2,0,0) (0,3,0) (0,0,4)',
  kinds: 'domain domain domain',
  endian: 'little',
  encoding: 'raw',
  'space origin': '(1,-2,3)',
};
const nrrdHead = (fields: Record<string, string> = {}) =>
  `NRRD0004\n# made up\n${Object.entries({ ...nrrdFields, ...fields })
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}: ${value}\n`)
    .join('')}`;
const nrrd = (fields: Record<string, string> = {}, data: Uint8Array = shorts) =>
  Buffer.concat([Buffer.from(`${nrrdHead(fields)}\n`), data]);
const metaFields = {
  ObjectType: 'Image',
  NDims: '3',
  BinaryData: 'True',
  BinaryDataByteOrderMSB: 'False',
  CompressedData: 'False',
  TransformMatrix: '1 0 0 0 1 0 0 0 1',
  Offset: '1 -2 3',
  ElementSpacing: '2 3 4',
  DimSize: '4 3 2',
  ElementType: 'MET_SHORT',
  ElementDataFile: 'LOCAL',
};
const meta = (fields: Record<string, string> = {}, data: Uint8Array = shorts) =>
  Buffer.concat([
    Buffer.from(
      Object.entries({ ...metaFields, ...fields })
        .filter(([, value]) => value !== '')
        .map(([name, value]) => `${name} = ${value}\n`)
        .join(''),
    ),
    data,
  ]);
const bigEndian = () => Buffer.from(shorts).swap16();
const deflated = deflateSync(shorts);

/** From LPS, as the files say it, to RAS. */
const affine = [
  [-2, 0, 0, -1],
  [0, -3, 0, 2],
  [0, 0, 4, 3],
];

describe('NRRD and MetaImage', () => {
  it.each([
    ['raw NRRD', nrrd(), 'a.nrrd'],
    ['big-endian NRRD', nrrd({ endian: 'big' }, bigEndian()), 'a.nrrd'],
    ['NRRD in gzip', nrrd({ encoding: 'gzip' }, gzipSync(shorts)), 'without-extension'],
    ['NRRD as text', nrrd({ encoding: 'ascii', endian: '' }, Buffer.from(values.join(' '))), 'a.nrrd'],
    [
      'NRRD in RAS',
      nrrd({
        space: 'RAS',
        'space directions': '(-2,0,0) (0,-3,0) (0,0,4)',
        'space origin': '(-1,2,3)',
      }),
      'a.nrrd',
    ],
    [
      'NRRD in m',
      nrrd({
        'space units': '"m" "m" "m"',
        'space directions': '(0.002,0,0) (0,0.003,0) (0,0,0.004)',
        'space origin': '(0.001,-0.002,0.003)',
      }),
      'a.nrrd',
    ],
    ['MetaImage', meta(), 'a.mha'],
    ['big-endian MetaImage', meta({ BinaryDataByteOrderMSB: 'True' }, bigEndian()), 'a.mha'],
    [
      'compressed MetaImage',
      meta(
        {
          CompressedData: 'True',
          CompressedDataSize: `${deflated.length}`,
          ElementDataFile: '',
          AnatomicalOrientation: 'RAI',
        },
        Buffer.concat([Buffer.from('ElementDataFile = LOCAL\n'), deflated]),
      ),
      'misnamed.nii.gz',
    ],
  ])('reads %s by its content', async (_, bytes, name) => {
    const path = save(bytes, name);
    expect(await inspectImage(path)).toMatchObject({ kind: '3D', size: [4, 3, 2] });
    const { volume, grid, spacingKnown } = await readVolume(path);
    grid.affine.flat().forEach((value, i) => {
      expect(value).toBeCloseTo(affine.flat()[i] ?? 0, 9);
    });
    expect(spacingKnown).toBe(true);
    expect(volume.shape).toEqual([2, 3, 4]);
    expect(volume.data).toBeInstanceOf(Int16Array);
    // i goes to the right to left, j to the back already; k goes up, and our slices go down.
    expect([...volume.data]).toEqual([...values.slice(12), ...values.slice(0, 12)]);
  });

  it('reads detached headers, and refuses voxels outside their folder', async () => {
    const home = folder();
    const outside = join(dir, 'outside.raw');
    writeFileSync(outside, shorts);
    writeFileSync(join(home, 'voxels.raw'), shorts);
    writeFileSync(join(home, 'voxels.raw.gz'), gzipSync(shorts));
    symlinkSync(outside, join(home, 'linked.raw'));
    const write = (name: string, bytes: string | Uint8Array) => {
      writeFileSync(join(home, name), bytes);
      return join(home, name);
    };
    const sound = [
      write('a.nhdr', nrrdHead({ 'data file': 'voxels.raw' })),
      write('b.nhdr', nrrdHead({ 'data file': 'voxels.raw.gz', encoding: 'gzip' })),
      write('c.mhd', meta({ ElementDataFile: 'voxels.raw' }, Buffer.alloc(0))),
    ];
    for (const path of sound) expect((await readVolume(path)).volume.data[12]).toBe(values[0]);
    for (const name of ['../outside.raw', outside, 'linked.raw', '..', 'sub/voxels.raw', '..\\outside.raw']) {
      const nhdr = write('d.nhdr', nrrdHead({ 'data file': name }));
      const mhd = write('d.mhd', meta({ ElementDataFile: name }, Buffer.alloc(0)));
      for (const path of [nhdr, mhd])
        for (const use of [inspectImage, readVolume])
          await expect(use(path)).rejects.toMatchObject({
            code: 'data',
            what: `keeps its voxels in a file outside its own folder (“${name}”)`,
          });
    }
  });

  it.each([
    ['a field twice', nrrd({ 'data file': '', datafile: '', type: 'short\ntype: short' }), 'says “type” twice'],
    ['two names of one file', nrrd({ 'data file': 'a.raw', datafile: 'b.raw' }), 'says “datafile” twice'],
    ['several files', nrrd({ 'data file': 'LIST' }), 'keeps its voxels in several files'],
    [
      'a colour image',
      nrrd({
        dimension: '4',
        sizes: '3 4 3 2',
        kinds: 'RGB-color domain domain domain',
        'space directions': 'none (2,0,0) (0,3,0) (0,0,4)',
      }),
      'is a colour image',
    ],
    ['a huge claim', nrrd({ sizes: '30000 30000 30000' }), 'claims 30000×30000×30000 voxels'],
    [
      'a claim that gzip cannot hold',
      nrrd({ encoding: 'gzip', sizes: '500 500 500' }, gzipSync(shorts)),
      'compressed bytes cannot hold',
    ],
    ['missing voxels', nrrd({}, shorts.subarray(0, 40)), 'its data of 40 bytes do not hold'],
    ['an unknown encoding', nrrd({ encoding: 'bzip2' }), 'is encoded as “bzip2”'],
    ['a block', nrrd({ type: 'block' }), 'has voxels of type “block”'],
    ['flat axes', nrrd({ 'space directions': '(2,0,0) (2,0,0) (0,0,4)' }), 'has axes that lie in one plane'],
    [
      'a damaged gzip stream',
      nrrd({ encoding: 'gzip' }, gzipSync(shorts).subarray(0, 30)),
      'the gzip stream ends too early',
    ],
    [
      'several channels',
      meta({ ElementDataFile: '', ElementNumberOfChannels: '1\nElementNumberOfChannels = 3' }),
      'twice',
    ],
    [
      'channels',
      meta({ ElementNumberOfChannels: '', ElementType: 'MET_SHORT\nElementNumberOfChannels = 3' }),
      'has several numbers for each voxel',
    ],
    ['a list of files', meta({ ElementDataFile: 'LIST' }), 'keeps its voxels in several files'],
    ['a pattern of files', meta({ ElementDataFile: 'slice%03d.raw 1 20 1' }), 'keeps its voxels in several files'],
    ['another object', meta({ ObjectType: 'Mesh', NDims: '3' }), 'holds no image but “Mesh”'],
    ['a damaged stream', meta({ CompressedData: 'True' }, deflated.subarray(0, 12)), 'the gzip stream ends too early'],
    ['no end', Buffer.from('NDims = 3\nDimSize = 4 3 2\n'), 'its header does not end'],
  ])('refuses %s with a sentence', async (_, bytes, message) => {
    const path = save(bytes, 'broken.nrrd');
    await expect(readVolume(path)).rejects.toThrow(message);
    await expect(readVolume(path)).rejects.toMatchObject({ code: 'data', details: { place: path, images: [path] } });
  });

  it('chooses one of several volumes, along the first or the last axis', async () => {
    const all = Int16Array.from({ length: 72 }, (_, i) => i);
    const last = nrrd(
      {
        dimension: '4',
        sizes: '4 3 2 3',
        kinds: 'domain domain domain list',
        'space directions': '(2,0,0) (0,3,0) (0,0,4) none',
      },
      Buffer.from(all.buffer),
    );
    const first = nrrd(
      {
        dimension: '4',
        sizes: '3 4 3 2',
        kinds: 'list domain domain domain',
        'space directions': 'none (2,0,0) (0,3,0) (0,0,4)',
      },
      Buffer.from(all.buffer),
    );
    const sorted = async (bytes: Uint8Array, volume: number) =>
      [...(await readVolume(save(bytes, 'a.nrrd'), { volume })).volume.data].sort((a, b) => a - b);
    await expect(readVolume(save(last, 'a.nrrd'))).rejects.toThrow('is 4-D (4×3×2×3)');
    await expect(readVolume(save(last, 'a.nrrd'), { volume: 3 })).rejects.toThrow('holds 3 volumes');
    expect(await sorted(last, 1)).toEqual(Array.from({ length: 24 }, (_, i) => 24 + i));
    expect(await sorted(first, 1)).toEqual(Array.from({ length: 24 }, (_, i) => 3 * i + 1));
  });

  it('names of segments come along', async () => {
    const head = nrrdHead({ type: 'uchar' });
    const bytes = Buffer.concat([
      Buffer.from(`${head}Segment0_LabelValue:=3\nSegment0_Name:=Leber\n\n`),
      Buffer.alloc(24, 3),
    ]);
    const { data, grid } = await readLabels(save(bytes, 'a.seg.nrrd'));
    expect(new Set(data)).toEqual(new Set([3]));
    expect(grid.labelNames).toEqual(new Map([[3, 'Leber']]));
  });

  it.each([
    ['NRRD', nrrd({ encoding: 'gzip' }, gzipSync(shorts))],
    ['MetaImage', meta({ CompressedData: 'True' }, deflated)],
  ])('whatever happens to the header of a %s, it is read or named as broken', async (_, file) => {
    const path = save(file, 'damaged');
    const change = fc.record({ at: fc.nat(file.length - 1), value: fc.nat(255) });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 4 }), async (changes) => {
        const damaged = Buffer.from(file);
        for (const { at, value } of changes) damaged[at] = value;
        writeFileSync(path, damaged);
        await inspectImage(path).catch((error: unknown) => {
          expect(error).toBeInstanceOf(UnimissError);
          expect(error).toMatchObject({ code: 'data', details: { place: path, images: [path] } });
        });
      }),
      { numRuns: 300 },
    );
  });
});

const labelled = folderOf('labelled');
describe.skipIf(!labelled)('real NRRD', () => {
  it('a chest CT and its lesion have one grid', async () => {
    const image = await readVolume(join(labelled ?? '', 'lesion/lung1_image.nrrd'));
    const labels = await readLabels(join(labelled ?? '', 'lesion/lung1_label.nrrd'));
    expect(image.grid.affine).toEqual([
      [-0.5703125, 0, 0, 146],
      [0, -0.5703125, 0, 325],
      [0, 0, 5, -777.49999999999977],
    ]);
    expect(labels.grid.affine).toEqual(image.grid.affine);
    expect(image.volume.shape).toEqual([48, 512, 512]);
    let [voxels, sum] = [0, 0];
    for (const [i, label] of labels.data.entries()) {
      voxels += label;
      if (label === 1) sum += image.volume.data[i] ?? 0;
    }
    expect(voxels).toBe(837);
    const mean = sum / voxels;
    expect(mean).toBeGreaterThan(-200); // soft tissue in a lung
    expect(mean).toBeLessThan(100);
  });
});
