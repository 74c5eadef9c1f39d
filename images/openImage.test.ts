import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, inflateRawSync } from 'node:zlib';
import { encode } from 'fast-png';
import { afterAll, describe, expect, it } from 'vitest';
import { type NiftiFixture, niftiFixture } from '../daemon/data/formats/nifti.fixture.ts';
import { type PlaneName, planeAxes, planeNames, voxelOf } from '../protocol/viewer/geometry.ts';
import type { Reading } from '../protocol/viewer/page.ts';
import type { PlanePiece } from '../protocol/viewer/planes.ts';
import { OpenImage } from './openImage.ts';

const folder = mkdtempSync(join(tmpdir(), 'um-images-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const size = [5, 4, 3] as const;
const ofVoxel = (i: number, j: number, k: number) => 100 * k + 10 * j + i;
const values = Array.from({ length: 60 }, (_, n) => ofVoxel(n % 5, Math.floor(n / 5) % 4, Math.floor(n / 20)));

async function opened(name: string, bytes: Uint8Array, volume = 0) {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  const news: Reading[] = [];
  const image = await OpenImage.open(path, volume, (reading) => news.push(reading));
  await image.range();
  return { image, news };
}

function numbersOf({ kind, deflated, slope, intercept }: PlanePiece): number[] {
  const bytes = new Uint8Array(inflateRawSync(deflated)).buffer;
  const types = { int16: Int16Array, uint16: Uint16Array, float32: Float32Array, rgb: Uint8Array };
  return Array.from(new types[kind](bytes), (n) => n * slope + intercept);
}

/** What a plane has to show, voxel by voxel, from where the geometry says that they are in the file. */
function expected({ opened: { geometry } }: OpenImage, plane: PlaneName, index: number): number[] {
  const { across, down, through } = planeAxes[plane];
  const found: number[] = [];
  for (let y = 0; y < geometry.shape[down]; y++)
    for (let x = 0; x < geometry.shape[across]; x++) {
      const place: [number, number, number] = [0, 0, 0];
      [place[across], place[down], place[through]] = [x, y, index];
      found.push(ofVoxel(...voxelOf(geometry, place)));
    }
  return found;
}

const sforms: Record<string, NiftiFixture['sform']> = {
  RAS: [
    [2, 0, 0, 0],
    [0, 2, 0, 0],
    [0, 0, 2, 0],
  ],
  LPS: [
    [-2, 0, 0, 9],
    [0, -2, 0, 9],
    [0, 0, 2, 9],
  ],
  'ASL, turned': [
    [0, 0, -1.9, 0],
    [2, 0, 0.3, 0],
    [0.2, 3, 0, 0],
  ],
};

describe('planes of a volume', () => {
  for (const [name, sform] of Object.entries(sforms))
    it(`show each voxel where the header puts it (${name})`, async () => {
      const { image } = await opened(`${name}.nii.gz`, gzipSync(niftiFixture({ size, type: 4, values, sform })));
      for (const plane of planeNames)
        for (let index = 0; index < image.opened.geometry.shape[planeAxes[plane].through]; index++) {
          const piece = await image.plane({ plane, index });
          expect(piece.complete).toBe(true);
          expect(numbersOf(piece)).toEqual(expected(image, plane, index));
        }
    });

  it('keep values of every type and byte order, with the scaling of the header', async () => {
    for (const type of [2, 4, 8, 16, 64, 256, 512, 768, 1024, 1280])
      for (const littleEndian of [true, false]) {
        const small = values.map((v) => v % 100);
        const stored = type === 1024 || type === 1280 ? small.map(BigInt) : small;
        const bytes = niftiFixture({ size, type, littleEndian, values: stored, slope: 2, intercept: -5 });
        const { image } = await opened(`type-${type}.nii`, bytes);
        const shown = numbersOf(await image.plane({ plane: 'axial', index: 0 })).sort((a, b) => a - b);
        // Without a form the axes are RAS, so the first axial plane is the last of the file.
        const last = small.slice(40).map((v) => 2 * v - 5);
        expect(shown).toEqual(last.sort((a, b) => a - b));
      }
  });

  it('come from the wanted one of several volumes', async () => {
    const both = [...values, ...values.map((v) => v + 1000)];
    const { image } = await opened('4d.nii.gz', gzipSync(niftiFixture({ size: [5, 4, 3, 2], values: both })), 1);
    expect(image.opened).toMatchObject({ volumes: 2, volume: 1 });
    expect(Math.min(...numbersOf(await image.plane({ plane: 'axial', index: 2 })))).toBe(1000);
  });
});

describe('a file that is damaged', () => {
  it('is shown up to the damage, which is reported', async () => {
    const bytes = niftiFixture({ size, type: 4, values });
    const { image, news } = await opened('short.nii', bytes.subarray(0, bytes.length - 30));
    const failure = 'its header claims 472 bytes, but the file holds only 442';
    await expect.poll(() => news.at(-1)?.failed?.what).toBe(failure);
    const [first, last] = [2, 0].map((index) => image.plane({ plane: 'axial', index }));
    expect(numbersOf((await first) as PlanePiece)).toEqual(expected(image, 'axial', 2));
    const shown = numbersOf((await last) as PlanePiece);
    expect(shown.filter(Number.isNaN)).toHaveLength(15);
  });

  it('says why it cannot be opened', async () => {
    await expect(opened('text.nii', Buffer.from('no image'))).rejects.toThrow('is not an image of a supported format');
  });
});

it('a picture is one plane of colours', async () => {
  const data = Uint8Array.from({ length: 12 }, (_, i) => 20 * i);
  const { image } = await opened('picture.png', encode({ width: 2, height: 2, data, channels: 3, depth: 8 }));
  expect(image.opened).toMatchObject({ kind: 'picture', format: 'png', geometry: { shape: [1, 2, 2] } });
  const piece = await image.plane({ plane: 'axial', index: 0 });
  expect([piece.kind, numbersOf(piece)]).toEqual(['rgb', [...data]]);
});
