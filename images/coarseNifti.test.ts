import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { niftiFixture } from '../daemon/data/formats/nifti.fixture.ts';
import { millimetersOf, type Place } from '../protocol/viewer/geometry.ts';
import { readPiece } from '../protocol/viewer/readPiece.ts';
import { OpenImage } from './openImage.ts';

const folder = mkdtempSync(join(tmpdir(), 'um-coarse-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** An oblique volume that is long along its first axis. */
const size = [400, 6, 5] as const;
const sform = [
  [-0.7, 0.1, 0, 90],
  [0.1, 1.8, 0.3, -20],
  [0, -0.2, 2.5, 7],
];
const voxel = (i: number, j: number, k: number) => i + 1000 * j + 7000 * k;

function written(name: string, type: 4 | 16): string {
  const values: number[] = [];
  for (let k = 0; k < size[2]; k++)
    for (let j = 0; j < size[1]; j++) for (let i = 0; i < size[0]; i++) values.push(voxel(i, j, k) % 30_000);
  const path = join(folder, name);
  writeFileSync(path, niftiFixture({ size, sform, type, values }));
  return path;
}

it.each([
  ['whole numbers', 4],
  ['values', 16],
] as const)('few voxels lie where they lay, with their %s', async (name, type) => {
  const image = await OpenImage.open(written(`${type}.nii`, type), 0, () => {});
  const path = join(folder, `coarse-${name}.nii`);
  writeFileSync(path, await image.coarseNifti(0));
  const coarse = await OpenImage.open(path, 0, () => {});
  const [whole, few] = [image.opened.geometry, coarse.opened.geometry];
  // 400 voxels along the longest axis: every third.
  expect(few.shape).toEqual(whole.shape.map((n) => Math.ceil(n / 3)));
  expect(coarse.opened.type).toBe(type === 4 ? 'int16' : 'float32');
  await coarse.range();
  for (const axis of [0, 1, 2] as const) {
    const { stored } = whole;
    const last = (few.shape[axis] - 1) * 3;
    // The first stored voxel of an axis that runs backwards is at its end.
    const from = (place: number) => (stored[axis]?.reversed ? whole.shape[axis] - 1 - (last - 3 * place) : 3 * place);
    const place: [number, number, number] = [0, 0, 0];
    const there: [number, number, number] = [0, 0, 0];
    for (const each of [0, 1, 2] as const) {
      const end = (few.shape[each] - 1) * 3;
      there[each] = stored[each]?.reversed ? whole.shape[each] - 1 - end : 0;
    }
    place[axis] = 1;
    there[axis] = from(1);
    const [a, b] = [millimetersOf(few, place), millimetersOf(whole, there as Place)];
    for (const c of [0, 1, 2] as const) expect(a?.[c]).toBeCloseTo(b?.[c] ?? Number.NaN, 3);
    const pieces = await Promise.all([
      coarse.plane({ plane: 'axial', index: place[0] }),
      image.plane({ plane: 'axial', index: there[0] }),
    ]);
    const [one, other] = await Promise.all(pieces.map(readPiece));
    expect(one?.numbers[place[1] * few.shape[2] + place[2]]).toBe(other?.numbers[there[1] * whole.shape[2] + there[2]]);
  }
});
