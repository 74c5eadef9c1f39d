import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { put } from '../../../test/labelled/makeSets.ts';
import { readVolume } from '../../data/formats/image.ts';
import { encodeNifti } from '../../data/formats/niftiWriter.ts';
import { imageDigest } from '../../data/imageDigest.ts';
import { ImageHashes, TrainedImages } from './imageHashes.ts';
import { findLeakage, leakageText } from './leakage.ts';

const key = new Uint8Array(32).fill(7);
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'leakage-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** A run that has read images with these digests. */
async function trainedOn(name: string, digests: Readonly<Record<string, string>>, complete = true) {
  const file = join(root, name);
  const hashes = await ImageHashes.open(file, key, complete);
  for (const [image, digest] of Object.entries(digests)) hashes?.add(image, digest);
  hashes?.close();
  return TrainedImages.read(file, key);
}

it('an image that was seen is found under another name and in another type of number', async () => {
  const values = Array.from({ length: 8 }, (_, i) => 10 * i - 40);
  const volume = { shape: [2, 2, 2], spacing: [3, 1, 1] } as const;
  const seen = await put(join(root, 'a.nii'), encodeNifti({ ...volume, data: Int16Array.from(values) }));
  const again = await put(
    join(root, 'b.nii'),
    encodeNifti({ ...volume, spacing: [1, 1, 1], data: Float32Array.from(values) }),
  );
  const digest = async (file: string) => imageDigest((await readVolume(file)).volume);
  const trained = await trainedOn('seen.jsonl', { 'ct/a.nii': await digest(seen) });
  const leakage = findLeakage(
    [
      { id: 'test/b', digests: ['another', await digest(again)] },
      { id: 'test/c', digests: ['fresh'] },
    ],
    trained,
  );
  expect(leakage).toEqual({ status: 'seen', seen: [{ id: 'test/b', image: 'ct/a.nii' }], tested: 2 });
  expect(leakageText(leakage)).toContain('has seen 1 of the 2 test images. Their results may be too good: test/b.');
});

it('"none" only where the run tells of all its images, otherwise "unknown"', async () => {
  const tested = [{ id: 't', digests: ['fresh'] }];
  expect(findLeakage(tested, await trainedOn('whole.jsonl', { a: 'x' }))).toMatchObject({ status: 'none', seen: [] });
  expect(findLeakage(tested, await trainedOn('part.jsonl', { a: 'x' }, false))).toMatchObject({ status: 'unknown' });
  expect(findLeakage([{ id: 't', digests: ['x'] }], await trainedOn('hit.jsonl', { a: 'x' }, false)).status).toBe(
    'seen',
  );
  expect(findLeakage([{ id: 't', digests: [] }], await trainedOn('all.jsonl', { a: 'x' })).status).toBe('unknown');
  const none = await TrainedImages.read(join(root, 'absent.jsonl'), key);
  expect(leakageText(findLeakage(tested, none))).toMatch(/^It is unknown/);
  expect(findLeakage(tested, await TrainedImages.read(join(root, 'whole.jsonl'), new Uint8Array(32)))).toMatchObject({
    status: 'unknown',
  });
});
