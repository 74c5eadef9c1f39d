import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { encode as encodePng } from 'fast-png';
import { encode as encodeJpeg } from 'jpeg-js';
import { afterAll, expect, it } from 'vitest';
import { UnimissError } from '../../../protocol/errors.ts';
import { inspectImage, readImage } from './image.ts';
import { niftiFixture } from './nifti.fixture.ts';
import { inspectNifti, readNifti } from './nifti.ts';

const dir = mkdtempSync(join(tmpdir(), 'damage-'));
afterAll(() => rmSync(dir, { recursive: true }));

const values = Array.from({ length: 24 }, (_, i) => 40 * i);
const pixels = Uint8Array.from({ length: 40 * 30 * 4 }, (_, i) => (i * i) % 256);
const nifti = niftiFixture({ values });
const interlaced = encodePng({ width: 40, height: 30, data: pixels, depth: 8, channels: 4 }, { interlace: 'Adam7' });
const sound: [string, Buffer, (path: string) => Promise<unknown>][] = [
  ['NIfTI-1', nifti, readNifti],
  ['NIfTI-2', niftiFixture({ version: 2, type: 64, values }), readNifti],
  ['NIfTI in gzip', gzipSync(nifti), readNifti],
  ['PNG', Buffer.from(encodePng({ width: 40, height: 30, data: pixels, depth: 8, channels: 4 })), readImage],
  ['interlaced PNG', Buffer.from(interlaced), readImage],
  ['JPEG', encodeJpeg({ width: 40, height: 30, data: Buffer.from(pixels) }, 80).data, readImage],
];

/** Words of JavaScript, zlib and the decoders, on which no person can act. */
const decoderWords =
  /undefined|\bnull\b|not a function|cannot (set|read) prop|invalid (array|distance|block|code|stored|bit|literal)|incorrect (data|header|length)|unknown compression|range|buffer|huffman|dht|sof\b|dct|ENO|Error/i;

it.each(sound)('a file is read or named as broken, whatever its bytes: %s', async (name, file, read) => {
  const path = join(dir, name.replaceAll(' ', '-'));
  const change = fc.record({ at: fc.nat(file.length - 1), value: fc.nat(255) });
  const inHeader = fc.record({ at: fc.nat(Math.min(file.length, 360) - 1), value: fc.nat(255) });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(change, inHeader), { maxLength: 6 }),
      fc.option(fc.nat(file.length)),
      async (changes, length) => {
        const damaged = Buffer.from(file.subarray(0, length ?? file.length));
        for (const { at, value } of changes) if (at < damaged.length) damaged[at] = value;
        writeFileSync(path, damaged);
        for (const use of [inspectImage, read]) {
          try {
            await use(path);
          } catch (error) {
            expect(error).toBeInstanceOf(UnimissError);
            expect(error).toMatchObject({ code: 'data', details: { place: path, images: [path] } });
            expect((error as UnimissError).what).not.toMatch(decoderWords);
          }
        }
      },
    ),
    { numRuns: 250 },
  );
});

it('the check of a header reads the header only, however large the file', async () => {
  const path = join(dir, 'large.nii');
  writeFileSync(path, niftiFixture({ size: [1024, 512, 256], type: 4 }));
  truncateSync(path, 352 + 2 * 2 ** 27);
  const before = process.memoryUsage().rss;
  expect((await inspectNifti(path)).dataBytes).toBe(2 ** 28);
  expect(process.memoryUsage().rss - before).toBeLessThan(2 ** 25);
});
