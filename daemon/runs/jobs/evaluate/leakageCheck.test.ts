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
  const check = await LeakageCheck.of([run]);
  check.note('other', check.verdictOf('other', volume(6)));
  expect(check.result()).toEqual({ state: 'none', checked: 1 });
  check.note('renamed', check.verdictOf('renamed', volume(5)));
  check.note('grey', check.verdictOf('grey', picture(1)));
  check.note('colour', check.verdictOf('colour', picture(3)));
  expect(check.result()).toEqual({ state: 'found', checked: 4, cases: ['renamed', 'grey', 'colour'] });
});

it('says "unknown" where one of the places tells nothing, and "found" nevertheless where another has seen an image', async () => {
  const nothing = await LeakageCheck.of([]);
  nothing.note('a', nothing.verdictOf('a', volume(5)));
  expect(nothing.result()).toEqual({ state: 'none', checked: 1 });
  const silent = join(run, 'weights.safetensors');
  const check = await LeakageCheck.of([run, silent]);
  check.note('other', check.verdictOf('other', volume(6)));
  expect(check.result()).toEqual({
    state: 'unknown',
    reason: expect.stringMatching(/weights.safetensors does not tell/),
  });
  check.note('renamed', check.verdictOf('renamed', volume(5)));
  expect(check.result()).toMatchObject({ state: 'found', cases: ['renamed'] });
});
