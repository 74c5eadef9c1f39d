import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UnimissError } from '../../../protocol/errors.ts';
import type { EventRecord } from '../../../protocol/records/records.ts';
import { PathHider, privacyKey } from './privacy.ts';

const key = new Uint8Array(32).fill(7);
const files = ['/data/Miller, Ann/0001.nii.gz', '/data/p2/0001.png', '/data/p2/10001.png', '/data/x (1).jpeg'];
const hider = new PathHider(key, files);

describe('hidden names', () => {
  it('are stable, differ by file and by secret, and keep the kind of file', () => {
    const names = files.map((file) => hider.nameOf(file));
    expect(names[0]).toMatch(/^image-[0-9a-f]{16}\.nii\.gz$/);
    expect(new Set(names).size).toBe(files.length);
    expect(new PathHider(key, []).nameOf(files[0]!)).toBe(names[0]);
    expect(new PathHider(new Uint8Array(32), []).nameOf(files[0]!)).not.toBe(names[0]);
  });

  it.each([
    ['/data/Miller, Ann/0001.nii.gz: truncated', 0],
    ['0001.nii.gz holds NaN', 0],
    ['Miller, Ann/0001.nii.gz: truncated', 0],
    ['data/p2/0001.png, then', 1],
    ['reading "p2/10001.png" failed', 2],
    ['(/data/x (1).jpeg)', 3],
  ])('replace every form of a path in %j', (message, file) => {
    const text = hider.text(message);
    expect(text).toContain(hider.nameOf(files[file]!));
    expect(text).not.toMatch(/Miller|0001\.|p2|x \(1\)/);
  });

  it.each<[what: string, images: string[]]>([
    ['the path “../Miller, Ann” leads out', ['../Miller, Ann']],
    ['“Miller, Ann 2.png” is listed already', ['Miller, Ann 2.png']],
    [
      '2 of 5 images are broken:\n  Miller, Ann 3.nii: is empty\n  Ann: 4.png: is empty',
      ['Miller, Ann 3.nii', 'Ann: 4.png'],
    ],
    ['no quotation marks, no lines: Ann Miller comes first', ['Ann Miller']],
  ])('replace what the data of an error call images, however the text is written: %j', (what, images) => {
    const fresh = new PathHider(key, []);
    const text = fresh.error(new UnimissError('data', what, { place: 'manifest.csv:2', images }));
    expect(text).toContain('manifest.csv:2');
    expect(text).not.toMatch(/Miller|Ann/);
    for (const image of images) expect(text).toContain(fresh.nameOf(image));
    const place = new UnimissError('data', 'is empty', { place: '/d/Miller, Ann', images: ['/d/Miller, Ann'] });
    expect(fresh.error(place)).toBe(`${fresh.nameOf('/d/Miller, Ann')}: is empty`);
  });

  it('replace what looks like an image in errors without data, in their stack too', () => {
    const fresh = new PathHider(key, []);
    const defect = new TypeError('no window in p9/miller-4.nii.gz');
    expect(fresh.error(defect)).toBe(`no window in ${fresh.nameOf('p9/miller-4.nii.gz')}`);
    expect(fresh.error(defect, defect.stack)).not.toMatch(/miller/);
    expect(fresh.error(defect, defect.stack)).toMatch(/privacy\.test\.ts/);
    const failed = Object.assign(new Error("EIO: read '/d/Miller, Ann'"), { path: '/d/Miller, Ann' });
    expect(fresh.error(failed)).toBe(`EIO: read '${fresh.nameOf('/d/Miller, Ann')}'`);
  });

  it('leave other words alone, and names of which one is the end of another', () => {
    expect(hider.text('step 0001 of 5')).toBe('step 0001 of 5');
    expect(hider.text('10001.png')).toBe(hider.nameOf('/data/p2/10001.png'));
    expect(hider.text('20001.png')).toBe('20001.png');
  });

  it('are the same for a relative path, and never those of another image of that name', () => {
    const two = new PathHider(key, ['/d/p1/0001.png', '/d/p2/0001.png']);
    two.add('p1/0001.png');
    expect(two.nameOf('p1/0001.png')).toBe(two.nameOf('/d/p1/0001.png'));
    expect(two.text('p1/0001.png and p2/0001.png')).toBe(
      `${two.nameOf('/d/p1/0001.png')} and ${two.nameOf('/d/p2/0001.png')}`,
    );
    const bare = two.text('0001.png');
    expect(bare).toMatch(/^image-[0-9a-f]{16}\.png$/);
    expect([two.nameOf('/d/p1/0001.png'), two.nameOf('/d/p2/0001.png')]).not.toContain(bare);
  });

  it('cost little with many images', () => {
    const many = new PathHider(
      key,
      Array.from({ length: 50_000 }, (_, i) => `/data/patient ${i}/scan ${i}.nii.gz`),
    );
    const began = performance.now();
    for (let i = 0; i < 20; i++)
      expect(many.text(`patient ${i}/scan ${i}.nii.gz: truncated`)).toMatch(/^image-\w+\.nii\.gz: tr/);
    expect(performance.now() - began).toBeLessThan(20_000);
  });

  it('replace all texts of a record, and no numbers', () => {
    const record: EventRecord = {
      kind: 'event',
      event: 'broken',
      message: `left out: ${files[1]}`,
      file: files[1]!,
      details: { nested: [{ [files[1]!]: 'p2/0001.png' }], share: 0.25 },
      time: '2026-01-01T00:00:00.000Z',
    };
    const text = JSON.stringify(hider.record(record));
    expect(text).not.toMatch(/p2|0001\.png/);
    expect(text.split(hider.nameOf(files[1]!))).toHaveLength(5);
    expect(hider.record(record).details!.share).toBe(0.25);
  });
});

describe('the secret', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'unimiss-privacy-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('is made once, also by several at the same time, for the user only', async () => {
    const env = { XDG_CONFIG_HOME: folder };
    const keys = await Promise.all(Array.from({ length: 8 }, () => privacyKey(env)));
    expect(new Set(keys.map((k) => Buffer.from(k).toString('hex'))).size).toBe(1);
    expect(keys[0]).toHaveLength(32);
    expect((await stat(join(folder, 'unimiss', 'privacy.key'))).mode & 0o777).toBe(0o600);
    await writeFile(join(folder, 'unimiss', 'privacy.key'), 'short');
    await expect(privacyKey(env)).rejects.toThrow(/not contain a valid secret/);
  });
});
