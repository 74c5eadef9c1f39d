import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { imageDigest } from '../../../data/imageDigest.ts';
import type { StoredCase } from '../../../data/prepared/readCase.ts';
import { privacyKey } from '../../folder/privacy.ts';
import { ImageHashes } from '../../records/imageHashes.ts';
import { LeakageCheck } from './leakageCheck.ts';

const run = mkdtempSync(join(tmpdir(), 'unimiss-leakage-'));
afterAll(() => rmSync(run, { recursive: true }));

const volume = (first: number): StoredCase => ({
  ...{ size: [2, 2, 2], spacing: null, notices: [] },
  channels: [Float32Array.from({ length: 8 }, (_, i) => first + i)],
});
const picture = (channels: number): StoredCase => ({
  ...{ size: [1, 1, 2], spacing: null, notices: [] },
  channels: Array.from({ length: channels }, () => Float32Array.of(7, 9)),
});

it('finds images that the pre-training has read, whatever they were called and however they were stored', async () => {
  const hashes = await ImageHashes.open(join(run, 'images.jsonl'), await privacyKey(), true);
  hashes!.add(
    'a.nii',
    imageDigest({ kind: '3D', shape: [2, 2, 2], spacing: [3, 1, 1], data: Int16Array.of(5, 6, 7, 8, 9, 10, 11, 12) }),
  );
  hashes!.add('b.png', imageDigest({ kind: '2D', height: 1, width: 2, data: Uint8Array.of(7, 7, 7, 9, 9, 9) }));
  hashes!.close();
  const check = await LeakageCheck.of(run);
  check.see('other', volume(6));
  expect(check.result(1)).toEqual({ state: 'none', checked: 1 });
  check.see('renamed', volume(5));
  check.see('grey', picture(1));
  check.see('colour', picture(3));
  expect(check.result(4)).toEqual({ state: 'found', checked: 4, cases: ['renamed', 'grey', 'colour'] });
});

it('says "unknown" where nothing is known, and "none" only from scratch', async () => {
  expect((await LeakageCheck.of(null)).result(3)).toEqual({ state: 'none', checked: 3 });
  const file = await LeakageCheck.of(join(run, 'weights.safetensors'));
  file.see('a', volume(5));
  expect(file.result(1)).toMatchObject({ state: 'unknown' });
  const empty = mkdtempSync(join(run, 'old-'));
  expect((await LeakageCheck.of(empty)).result(1)).toMatchObject({ state: 'unknown' });
});
