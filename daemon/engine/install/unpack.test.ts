import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { zipSync } from 'fflate';
import { expect, test } from 'vitest';
import { rejection, sha256, tempFolder } from './fixtures.ts';
import { hashFile, unpackZip } from './unpack.ts';

let next = 0;
/** An archive on disk and an empty folder beside it. */
function archive(root: string, data: Uint8Array): { file: string; folder: string } {
  const folder = join(root, `out-${next++}`);
  mkdirSync(folder);
  const file = `${folder}.zip`;
  writeFileSync(file, data);
  return { file, folder };
}

const name = fc.stringMatching(/^[a-z]{1,8}(\/[a-z]{1,8}){0,2}\.so$/);
const content = fc.uint8Array({ maxLength: 3000 });

test('what was packed comes out, with its size and hash', async () => {
  const root = tempFolder();
  await fc.assert(
    fc.asyncProperty(fc.dictionary(name, content, { maxKeys: 5 }), fc.constantFrom(0, 6), async (files, level) => {
      const { file, folder } = archive(root, zipSync(files, { level: level as 0 | 6 }));
      const unpacked = await unpackZip(file, folder, { place: (entry) => entry });
      expect(unpacked.map((each) => each.path).sort()).toEqual(Object.keys(files).sort());
      for (const { path, bytes, sha256: hash } of unpacked) {
        expect(new Uint8Array(readFileSync(join(folder, path)))).toEqual(files[path]);
        expect({ bytes, hash }).toEqual({ bytes: files[path]!.length, hash: sha256(files[path]!) });
      }
    }),
    { numRuns: 20 },
  );
});

test('a byte that changed anywhere is noticed, or does no harm', async () => {
  const root = tempFolder();
  const original = Buffer.alloc(2000, 'pattern ');
  const packed = zipSync({ 'a/b.so': original }, { level: 6 });
  await fc.assert(
    fc.asyncProperty(fc.nat(packed.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
      const data = packed.slice();
      data[at]! ^= change;
      const { file, folder } = archive(root, data);
      let unpacked: Awaited<ReturnType<typeof unpackZip>>;
      try {
        unpacked = await unpackZip(file, folder, { place: () => 'b.so' });
      } catch (error) {
        expect(error).toMatchObject({ code: 'engine' });
        return;
      }
      // The name and the date may differ, but not the content.
      for (const each of unpacked) expect(readFileSync(join(folder, each.path))).toEqual(original);
    }),
    { numRuns: 80 },
  );
});

test('only what has a place is unpacked', async () => {
  const { file, folder } = archive(tempFolder(), zipSync({ 'a.so': new Uint8Array(1), 'b.so': new Uint8Array(2) }));
  await unpackZip(file, folder, { place: (entry) => (entry === 'b.so' ? 'lib/b.so' : undefined) });
  expect(existsSync(join(folder, 'a.so'))).toBe(false);
  expect(statSync(join(folder, 'lib/b.so')).size).toBe(2);
});

test.each(['../evil.so', '/evil.so', 'a/../../evil.so', 'a\\..\\..\\evil.so'])(
  'the path %s is refused',
  async (path) => {
    const root = tempFolder();
    const { file, folder } = archive(root, zipSync({ [path]: new Uint8Array(1) }));
    const place = (entry: string): string => entry;
    expect(await rejection(unpackZip(file, folder, { place }))).toMatchObject({ code: 'engine' });
    expect(existsSync(join(root, 'evil.so'))).toBe(false);
  },
);

test('a path outside the folder is refused', async () => {
  const root = tempFolder();
  const { file, folder } = archive(root, zipSync({ 'a.so': new Uint8Array(1) }));
  const error = await rejection(unpackZip(file, folder, { place: () => '../evil.so' }));
  expect(error.message).toContain('leads out of the folder');
  expect(existsSync(join(root, 'evil.so'))).toBe(false);
});

test('nothing that exists is overwritten', async () => {
  const { file, folder } = archive(tempFolder(), zipSync({ 'a.so': new Uint8Array(1) }));
  writeFileSync(join(folder, 'a.so'), 'mine');
  expect(await rejection(unpackZip(file, folder, { place: (entry) => entry }))).toMatchObject({ code: 'EEXIST' });
  expect(readFileSync(join(folder, 'a.so'), 'utf8')).toBe('mine');
});

test('more bytes than the archive says are not written', async () => {
  // The size in the archive's index and in the local header: 10 instead of 100,000.
  const data = Buffer.from(zipSync({ 'a.so': new Uint8Array(100_000) }, { level: 6 }));
  const size = Buffer.alloc(4);
  size.writeUInt32LE(100_000);
  const lie = Buffer.alloc(4);
  lie.writeUInt32LE(10);
  for (let at = data.indexOf(size); at >= 0; at = data.indexOf(size, at)) lie.copy(data, at);
  const { file, folder } = archive(tempFolder(), data);
  expect((await rejection(unpackZip(file, folder, { place: (entry) => entry }))).message).toContain('differs in size');
  expect(statSync(join(folder, 'a.so')).size).toBe(0);
});

test('a text that is no archive', async () => {
  const { file, folder } = archive(tempFolder(), Buffer.from('<html>Please log in</html>'));
  const error = await rejection(unpackZip(file, folder, { place: (entry) => entry }));
  expect(error.message).toContain('not a readable zip archive');
});

test('stopping ends it in the middle of a file', async () => {
  const { file, folder } = archive(tempFolder(), zipSync({ 'a.so': new Uint8Array(5_000_000) }, { level: 1 }));
  const stop = new AbortController();
  const unpacking = unpackZip(file, folder, {
    place: (entry) => entry,
    signal: stop.signal,
    onBytes: () => stop.abort(),
  });
  expect(await rejection(unpacking)).toMatchObject({ code: 'interrupted' });
  expect(statSync(join(folder, 'a.so')).size).toBeLessThan(5_000_000);
});

test('the hash of a file larger than the buffer', async () => {
  const data = Buffer.alloc(2_500_000, 'abc');
  const file = join(tempFolder(), 'file');
  writeFileSync(file, data);
  expect(await hashFile(file)).toBe(sha256(data));
});
