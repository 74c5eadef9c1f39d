import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { ImageHashes, TrainedImages } from './imageHashes.ts';

const folder = mkdtempSync(join(tmpdir(), 'unimiss-hashes-'));
afterAll(() => rmSync(folder, { recursive: true }));
const key = Buffer.alloc(32, 1);
let files = 0;
const newFile = () => join(folder, `images-${files++}.jsonl`);

test('an image is written once, over several starts, and found by its digest', async () => {
  const file = newFile();
  for (const _ of ['first', 'second']) {
    const hashes = await ImageHashes.open(file, key, true);
    hashes?.add('a.png', 'digest of a');
    hashes?.add('b.png', 'digest of b');
    expect(hashes?.has('a.png')).toBe(true);
    expect(hashes?.has('c.png')).toBe(false);
    hashes?.close();
  }
  const text = readFileSync(file, 'utf8');
  expect(text.trimEnd().split('\n')).toHaveLength(3);
  expect(text).not.toContain('digest of a');
  const trained = await TrainedImages.read(file, key);
  if (trained === 'unknown') throw new Error('the run tells its images');
  expect(trained.find('digest of b')).toEqual({ image: 'b.png' });
  expect(trained.find('digest of c')).toBeUndefined();
});

test('a torn line is ignored, and the next one is whole', async () => {
  const file = newFile();
  const first = await ImageHashes.open(file, key, true);
  first?.add('a.png', 'a');
  first?.close();
  appendFileSync(file, '{"image":"b.p');
  const second = await ImageHashes.open(file, key, true);
  expect(second?.has('a.png')).toBe(true);
  second?.add('c.png', 'c');
  second?.close();
  const trained = await TrainedImages.read(file, key);
  if (trained === 'unknown') throw new Error('the run tells its images');
  expect(trained.find('c')).toEqual({ image: 'c.png' });
});

test('a run of version 0.1.0, or with another secret, gives no answer; one that started earlier gives what it has', async () => {
  const file = newFile();
  expect(await TrainedImages.read(file, key)).toBe('unknown');
  const hashes = await ImageHashes.open(file, key, false);
  hashes?.add('a.png', 'a');
  hashes?.close();
  const trained = await TrainedImages.read(file, key);
  if (trained === 'unknown') throw new Error('the run tells its images');
  expect(trained.find('a')).toEqual({ image: 'a.png' });
  expect(trained.find('b')).toBe('unknown');
  const other = Buffer.alloc(32, 2);
  expect(await TrainedImages.read(file, other)).toBe('unknown');
  expect(await ImageHashes.open(file, other, false)).toBeUndefined();
});
