import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode } from 'fast-png';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { resolveConfig } from '../../../protocol/config/index.ts';
import { parseConfig } from '../../../protocol/config/parseConfig.ts';
import { requirePretrain } from '../../../protocol/config/pretrain/index.ts';
import { fewPhantoms } from '../../../test/integration/trainer.ts';
import { CheckpointStore } from '../../checkpoint/store.ts';
import { readImage, readVolume } from '../../data/formats/image.ts';
import type { Affine } from '../../data/formats/niftiGeometry.ts';
import { parameterTable } from '../../model/parameters.ts';
import { seededValues } from '../../train/parameters/firstValues.ts';
import { RunFolder } from '../folder/runFolder.ts';
import { modelConfig } from '../start/modelConfig.ts';
import { attendImage } from './attendImage.ts';
import { neighbourImages } from './neighbourImages.ts';

const folder = mkdtempSync(join(tmpdir(), 'um-look-'));
afterAll(() => rmSync(folder, { recursive: true }));
const quiet = () => undefined;

let run: RunFolder;
let images: { volumes: string[]; pictures: string[] };
beforeAll(async () => {
  const manifest = await fewPhantoms(join(folder, 'phantoms'), 3, 4);
  const listed = readFileSync(manifest, 'utf8')
    .split('\n')
    .flatMap((line) => /^[^,]+\.(nii\.gz|png)/.exec(line)?.[0] ?? [])
    .map((path) => join(folder, 'phantoms', path));
  images = {
    volumes: listed.filter((path) => path.endsWith('.gz')),
    pictures: listed.filter((path) => path.endsWith('.png')),
  };
  const text = JSON.stringify({ name: 'untrained', data: { manifest }, model: { preset: 'nano' } });
  run = await RunFolder.create(
    join(folder, 'runs'),
    text,
    resolveConfig(parseConfig(text, 'test'), { baseDir: folder }),
  );
  const values = seededValues(1);
  const tensors = parameterTable(modelConfig(requirePretrain(run.config).model)).map((spec) => ({
    ...{ name: `teacher.${spec.name}`, shape: [...spec.shape], dtype: 'F32' as const, read: () => values(spec) },
  }));
  const metadata = { format: 'unimiss-checkpoint-2', task: 'pretrain', counters: '{"step":5}' };
  await new CheckpointStore(run.checkpointsFolder).save(5, tensors, metadata);
});

/** The point of the body in the middle of an array. */
function middle(affine: Affine, shape: readonly number[]): number[] {
  return affine.map(
    (row) => row[3] + [0, 1, 2].reduce((sum, axis) => sum + ((row[axis] ?? 0) * ((shape[axis] ?? 1) - 1)) / 2, 0),
  );
}

it('attention to the patches of a volume lies where they are, 1 at its most', async () => {
  const [image = ''] = images.volumes;
  const out = join(folder, 'attention');
  const { file, phase, grid } = await attendImage(run, { image, out, network: 'teacher' }, quiet);
  expect(phase).toBe('3D');
  const [map, whole] = [await readVolume(file), await readVolume(image)];
  expect(map.volume.shape[0]).toBe(whole.volume.shape[0]);
  expect(map.volume.shape.slice(1)).toEqual(grid.slice(1));
  const { data } = map.volume;
  expect(Math.max(...data)).toBeCloseTo(1, 3);
  expect(Math.min(...data)).toBeGreaterThanOrEqual(0);
  expect(new Set(data).size).toBeGreaterThan(2);
  const [a, b] = [middle(map.affine, map.volume.shape), middle(whole.affine, whole.volume.shape)];
  for (const axis of [0, 1, 2]) expect(Math.abs((a[axis] ?? 0) - (b[axis] ?? 0))).toBeLessThan(2);
  expect(statSync(file).mode & 0o077).toBe(0);
});

it('attention to the patches of a picture has its size', async () => {
  const [image = ''] = images.pictures;
  const { file, grid } = await attendImage(run, { image, out: join(folder, 'attention'), network: 'teacher' }, quiet);
  const { width, height, data } = decode(readFileSync(file));
  const picture = await readImage(image);
  expect([width, height]).toEqual([picture.width, picture.height]);
  expect(Math.max(...data)).toBe(255);
  expect(new Set(data).size).toBeGreaterThan(1);
  expect(new Set(data).size).toBeLessThanOrEqual(grid.reduce((a, b) => a * b, 1) + 1);
});

it('the image of a run that is most like a copy of it is itself', async () => {
  const original = images.volumes[1] ?? '';
  const copy = join(folder, 'copy.nii.gz');
  copyFileSync(original, copy);
  const found = await neighbourImages(run, { image: copy, count: 2, network: 'teacher' }, quiet);
  expect(found).toMatchObject({ phase: '3D', images: 3 });
  expect(found.neighbours).toHaveLength(2);
  expect(found.neighbours[0]?.image).toBe(original);
  expect(found.neighbours[0]?.similarity).toBeCloseTo(1, 4);
  const own = await neighbourImages(run, { image: original, count: 5, network: 'teacher' }, quiet);
  expect(own.images).toBe(2);
  await expect(
    neighbourImages(run, { image: join(folder, 'none.nii'), count: 1, network: 'teacher' }, quiet),
  ).rejects.toMatchObject({ code: 'data' });
});
