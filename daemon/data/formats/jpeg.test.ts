import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode } from 'jpeg-js';
import { afterAll, describe, expect, it } from 'vitest';
import { inspectImage, readImage } from './image.ts';
import { inspectJpeg, readJpeg } from './jpeg.ts';

const dir = mkdtempSync(join(tmpdir(), 'jpeg-'));
afterAll(() => rmSync(dir, { recursive: true }));
let count = 0;
const save = (bytes: Uint8Array, name = '.jpg') => {
  const path = join(dir, `${count++}${name}`);
  writeFileSync(path, bytes);
  return path;
};

const [width, height] = [96, 64];
const value = (x: number, y: number, c: number) => [2 * x, 3 * y, 120][c]!;
function jpeg(): Buffer {
  const data = Buffer.alloc(width * height * 4, 255);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) data[4 * i + c] = value(i % width, Math.floor(i / width), c);
  }
  return encode({ width, height, data }, 95).data;
}
/** Position of the frame header's marker. */
const frameAt = (file: Buffer) => file.indexOf(Buffer.from([0xff, 0xc0]));

describe('readJpeg', () => {
  it('reads colour as RGB', async () => {
    const image = await readJpeg(save(jpeg()));
    expect(image).toMatchObject({ kind: '2D', width, height });
    let worst = 0;
    for (let i = 0; i < image.data.length; i++) {
      const pixel = Math.floor(i / 3);
      worst = Math.max(worst, Math.abs(image.data[i]! - value(pixel % width, Math.floor(pixel / width), i % 3)));
    }
    expect(worst).toBeLessThan(16);
  });

  it('finds the frame behind long metadata, and a JPEG by its content under another name', async () => {
    const file = jpeg();
    const segment = Buffer.alloc(65000);
    segment.set([0xff, 0xe1, (65000 - 2) >> 8, (65000 - 2) & 255]);
    const path = save(Buffer.concat([file.subarray(0, 2), segment, segment, file.subarray(2)]), '.png');
    expect(await inspectImage(path)).toEqual({ kind: '2D', format: 'jpeg', width, height });
    expect((await readImage(path)).width).toBe(width);
  });
});

describe('a broken JPEG file is named with its reason', () => {
  const changed = (change: (file: Buffer, frame: number) => void) => {
    const file = Buffer.from(jpeg());
    change(file, frameAt(file));
    return file;
  };
  const cases: [string, () => Buffer, RegExp][] = [
    ['4 gigapixels', () => changed((f, at) => f.fill(0xff, at + 5, at + 9)), /claims 65535×65535 pixels, more than/],
    [
      'pixels that the file cannot hold',
      () => changed((f, at) => f.set([0x15, 0xff, 0x15, 0xff], at + 5)).subarray(0, 700),
      /truncated|cannot hold/,
    ],
    ['no rows', () => changed((f, at) => f.set([0, 0], at + 5)), /says that it has 96×0 pixels/],
    ['12 bits', () => changed((f, at) => f.set([12], at + 4)), /12 bits a sample/],
    ['lossless coding', () => changed((f, at) => f.set([0xc3], at + 1)), /SOF3/],
    ['five components', () => changed((f, at) => f.set([5], at + 9)), /5 colour components/],
    ['truncated pixels', () => jpeg().subarray(0, -200), /truncated/],
    ['truncated header', () => jpeg().subarray(0, 100), /no frame header/],
    [
      'four components that nothing calls CMYK',
      () => changed((f, at) => f.set([4], at + 9)),
      /nothing says that they are CMYK/,
    ],
    ['garbage between its segments', () => changed((f) => f.fill(0x11, 20, 24)), /no JPEG marker at byte 20/],
  ];
  it.each(cases)('%s', async (_, make, reason) => {
    const path = save(make());
    await expect(inspectJpeg(path)).rejects.toMatchObject({
      name: 'UnimissError',
      code: 'data',
      details: { place: path },
    });
    await expect(inspectJpeg(path)).rejects.toThrow(reason);
    await expect(readJpeg(path)).rejects.toThrow(reason);
  });

  it('pixels cut out of the middle are found when it is decoded', async () => {
    const file = jpeg();
    const cut = Buffer.concat([file.subarray(0, file.length - 900), Buffer.from([0xff, 0xd9])]);
    await expect(readJpeg(save(cut))).rejects.toThrow(/: is damaged: its pixels cannot be decoded$/);
  });
});
