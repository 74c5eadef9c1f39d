import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { encode } from 'fast-png';
import { afterAll, describe, expect, it } from 'vitest';
import { folderOf } from '../../../test/needs.ts';
import { readImage } from './image.ts';
import { inspectPng, readPng } from './png.ts';

const dir = mkdtempSync(join(tmpdir(), 'png-'));
afterAll(() => rmSync(dir, { recursive: true }));
let count = 0;
const save = (bytes: Uint8Array) => {
  const path = join(dir, `${count++}.png`);
  writeFileSync(path, bytes);
  return path;
};

const chunk = (type: string, data: Buffer) => {
  const bytes = Buffer.concat([Buffer.alloc(4), Buffer.from(type, 'latin1'), data, Buffer.alloc(4)]);
  bytes.writeUInt32BE(data.length, 0);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, -4)), bytes.length - 4);
  return bytes;
};
interface Fixture {
  width: number;
  height: number;
  depth?: number;
  colorType?: number;
  interlace?: number;
  raw?: Buffer;
  extra?: Buffer[];
}
/** A hand-made PNG file; `raw` are the filtered rows. */
function png({
  width,
  height,
  depth = 8,
  colorType = 0,
  interlace = 0,
  raw = Buffer.alloc(0),
  extra = [],
}: Fixture): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, colorType, 0, 0, interlace], 8);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    ...extra,
    chunk('IDAT', deflateSync(raw)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}
const pixelsOf = async (bytes: Uint8Array) => [...(await readPng(save(bytes))).data];

describe('readPng', () => {
  it('reads 8-bit grey, grey + alpha, RGB and RGBA, plain and interlaced', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 12 }),
        fc.constantFrom(1, 2, 3, 4),
        fc.boolean(),
        fc.infiniteStream(fc.integer({ min: 0, max: 255 })),
        async (width, height, channels, interlaced, numbers) => {
          const data = Uint8Array.from({ length: width * height * channels }, () => numbers.next().value as number);
          const file = encode(
            { width, height, data, depth: 8, channels },
            { interlace: interlaced ? 'Adam7' : 'null' },
          );
          const image = await readPng(save(file));
          expect(image).toMatchObject({ kind: '2D', width, height });
          for (let i = 0; i < width * height; i++) {
            const pixel = data.subarray(i * channels, (i + 1) * channels);
            const alpha = channels % 2 === 0 ? pixel[channels - 1]! / 255 : 1;
            const color = channels <= 2 ? [pixel[0]!, pixel[0]!, pixel[0]!] : [...pixel.subarray(0, 3)];
            expect([...image.data.subarray(3 * i, 3 * i + 3)]).toEqual(color.map((value) => Math.round(value * alpha)));
          }
        },
      ),
      { numRuns: 80 },
    );
  });

  it('spreads 1, 2 and 4 bits over 0 to 255', async () => {
    const grey = async (depth: number, row: number[], width: number) =>
      (await pixelsOf(png({ width, height: 1, depth, raw: Buffer.from([0, ...row]) }))).filter((_, i) => i % 3 === 0);
    expect(await grey(1, [0b10100000], 3)).toEqual([255, 0, 255]);
    expect(await grey(2, [0b00011011, 0b11000000], 5)).toEqual([0, 85, 170, 255, 255]);
    expect(await grey(4, [0x0f, 0x50], 3)).toEqual([0, 255, 85]);
  });

  it('looks palettes up, with transparent entries on black', async () => {
    const palette = chunk('PLTE', Buffer.from([255, 0, 0, 10, 20, 30, 200, 100, 50]));
    const raw = Buffer.from([0, 0b00011000]);
    const opaque = png({ width: 3, height: 1, depth: 2, colorType: 3, raw, extra: [palette] });
    expect(await pixelsOf(opaque)).toEqual([255, 0, 0, 10, 20, 30, 200, 100, 50]);
    const extra = [palette, chunk('tRNS', Buffer.from([0, 255, 51]))];
    const clear = png({ width: 3, height: 1, depth: 2, colorType: 3, raw, extra });
    expect(await pixelsOf(clear)).toEqual([0, 0, 0, 10, 20, 30, 40, 20, 10]);
  });

  it('makes the transparent colour of a grey image black', async () => {
    const extra = [chunk('tRNS', Buffer.from([0, 9]))];
    const file = png({ width: 3, height: 1, raw: Buffer.from([0, 8, 9, 10]), extra });
    expect((await pixelsOf(file)).filter((_, i) => i % 3 === 0)).toEqual([8, 0, 10]);
  });

  it('windows 16 bits: the bulk of the range is spread over 0 to 255, outliers are clipped', async () => {
    // A 12-bit X-ray in 16 bits, with one dead pixel.
    const data = Uint16Array.from({ length: 100 * 100 }, (_, i) => 1000 + (i % 2001));
    data[0] = 65535;
    const { data: rgb } = await readPng(save(encode({ width: 100, height: 100, data, depth: 16, channels: 1 })));
    expect(rgb[0]).toBe(255);
    // In the middle; the percentiles are a little inside the range.
    expect(Math.abs(rgb[3 * 1000]! - 127.5)).toBeLessThan(1);
    expect([rgb[3 * 2001], rgb[3 * 2000]]).toEqual([0, 255]);
    const flat = new Uint16Array(16).fill(7);
    expect(await pixelsOf(encode({ width: 4, height: 4, data: flat, depth: 16, channels: 1 }))).toEqual(
      new Array(48).fill(0),
    );
    const alpha = Uint16Array.of(0, 65535, 60000, 65535, 60000, 0);
    const blended = await pixelsOf(encode({ width: 3, height: 1, data: alpha, depth: 16, channels: 2 }));
    expect(blended.filter((_, i) => i % 3 === 0)).toEqual([0, 255, 0]);
  });

  it('reads 16 bits interlaced as it reads them plain', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 17 }),
        fc.integer({ min: 1, max: 17 }),
        fc.constantFrom(1, 2, 3, 4),
        fc.infiniteStream(fc.integer({ min: 0, max: 65535 })),
        async (width, height, channels, numbers) => {
          const data = Uint16Array.from({ length: width * height * channels }, () => numbers.next().value as number);
          const file = (interlace: 'Adam7' | 'null') =>
            encode({ width, height, data, depth: 16, channels }, { interlace });
          expect(await pixelsOf(file('Adam7'))).toEqual(await pixelsOf(file('null')));
        },
      ),
      { numRuns: 40 },
    );
  });

  it('ignores the palette that an RGB image suggests', async () => {
    const extra = [chunk('PLTE', Buffer.from([1, 2, 3]))];
    const file = png({ width: 2, height: 1, colorType: 2, raw: Buffer.from([0, 9, 8, 7, 6, 5, 4]), extra });
    expect(await pixelsOf(file)).toEqual([9, 8, 7, 6, 5, 4]);
  });

  it('does not inflate a colour profile', async () => {
    const bomb = chunk('iCCP', Buffer.concat([Buffer.from('icc\0\0', 'latin1'), deflateSync(Buffer.alloc(2e8))]));
    const before = process.memoryUsage().rss;
    expect(await pixelsOf(png({ width: 2, height: 1, raw: Buffer.from([0, 1, 2]), extra: [bomb] }))).toEqual([
      1, 1, 1, 2, 2, 2,
    ]);
    expect(process.memoryUsage().rss - before).toBeLessThan(1e8);
  });
});

describe('a broken PNG file is named with its reason', () => {
  const sound = () =>
    Buffer.from(
      encode({
        width: 60,
        height: 50,
        data: Uint8Array.from({ length: 3000 }, (_, i) => (i * i) % 251),
        depth: 8,
        channels: 1,
      }),
    );
  const flipped = (at: number) => {
    const file = sound();
    file[at]! ^= 0xff;
    return file;
  };
  const found: [string, () => Buffer, RegExp][] = [
    ['no pixels', () => png({ width: 0, height: 5 }), /0×5 pixels/],
    [
      '4 gigapixels',
      () => png({ width: 65535, height: 65535, raw: Buffer.alloc(100) }),
      /claims 65535×65535 pixels, more than/,
    ],
    [
      'pixels that the file cannot hold',
      () => png({ width: 5000, height: 5000, raw: Buffer.alloc(100) }),
      /bytes cannot hold/,
    ],
    ['a damaged header', () => flipped(18), /damaged header/],
    ['an impossible depth', () => png({ width: 2, height: 2, depth: 3 }), /impossible header/],
    ['an impossible combination', () => png({ width: 2, height: 2, depth: 16, colorType: 3 }), /impossible header/],
    ['truncated', () => sound().subarray(0, 400), /truncated/],
    ['only a signature', () => sound().subarray(0, 8), /too short/],
  ];
  it.each(found)('at the check of its header: %s', async (_, make, reason) => {
    const path = save(make());
    await expect(inspectPng(path)).rejects.toThrow(reason);
    await expect(readPng(path)).rejects.toThrow(reason);
  });

  const later: [string, () => Buffer, RegExp][] = [
    [
      'a bomb: more pixels than claimed',
      () => png({ width: 2, height: 2, raw: Buffer.alloc(1e8) }),
      /more pixels than its header/,
    ],
    [
      'fewer pixels than claimed',
      () => png({ width: 20, height: 20, raw: Buffer.alloc(400) }),
      /holds 400 of the 420 bytes/,
    ],
    ['a changed byte', () => flipped(200), /checksum of IDAT/],
    [
      'pixels that cannot be decompressed',
      () =>
        Buffer.concat([
          png({ width: 9, height: 9 }).subarray(0, 33),
          chunk('IDAT', Buffer.from('789c0700112233445566778899', 'hex')),
          chunk('IEND', Buffer.alloc(0)),
        ]),
      /is damaged: its pixels cannot be decompressed$/,
    ],
    ['no palette', () => png({ width: 1, height: 1, colorType: 3, raw: Buffer.from([0, 7]) }), /it has no palette/],
    [
      'a filter that does not exist',
      () => png({ width: 2, height: 1, raw: Buffer.from([9, 1, 1]) }),
      /is damaged \(a row with filter 9, which does not exist\)/,
    ],
    [
      'a colour beyond the palette',
      () =>
        png({
          width: 1,
          height: 1,
          colorType: 3,
          raw: Buffer.from([0, 7]),
          extra: [chunk('PLTE', Buffer.from([1, 2, 3]))],
        }),
      /is damaged \(a pixel has colour 7 of a palette of 1\)/,
    ],
  ];
  it.each(later)('when it is decoded: %s', async (_, make, reason) => {
    const path = save(make());
    await expect(inspectPng(path)).resolves.toBeDefined();
    await expect(readPng(path)).rejects.toMatchObject({ name: 'UnimissError', code: 'data', details: { place: path } });
    await expect(readPng(path)).rejects.toThrow(reason);
  });
});

const samples = folderOf('samples');
describe.skipIf(!samples)('real X-rays (UNIMISS_SAMPLES)', () => {
  it('reads RGB PNG', async () => {
    const image = await readImage(join(samples!, 'xray/00000001_000.png'));
    expect(image).toMatchObject({ kind: '2D', width: 512, height: 512 });
    expect(image.data.length).toBe(512 * 512 * 3);
  });
});
