import { crc32, deflateSync } from 'node:zlib';
import { decode } from 'fast-png';
import { imageError } from './imageError.ts';
import { type PngHeader, type PngPass, pngPasses } from './pngHeader.ts';

const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
/** The standard defines the filters 0 to 4 (PNG, third edition, 9.2). */
const lastFilter = 4;

/**
 * The samples of an image, one per element, [height, width, channels], from its filtered rows. The decoder reads each pass of an
 * interlaced image as a plain image, because it supports interlaced rows of 8 and 16 bits only.
 * @param filtered exactly `filteredBytes` bytes
 * @throws UnimissError('data') if a row has an unknown filter
 */
export function pngSamples(path: string, header: PngHeader, filtered: Buffer): Uint8Array | Uint16Array {
  const { width, height, channels, depth } = header;
  const length = width * height * channels;
  const out = depth === 16 ? new Uint16Array(length) : new Uint8Array(length);
  let at = 0;
  for (const pass of pngPasses(header)) {
    const end = at + pass.height * (1 + pass.rowBytes);
    const samples = passSamples(path, header, pass, filtered.subarray(at, end));
    at = end;
    if (!header.interlaced) return samples;
    scatter(samples, pass, out, header);
  }
  return out;
}

function passSamples(path: string, header: PngHeader, pass: PngPass, filtered: Buffer): Uint8Array | Uint16Array {
  for (let at = 0; at < filtered.length; at += 1 + pass.rowBytes) {
    const filter = filtered.readUInt8(at);
    if (filter > lastFilter) throw imageError(path, `is damaged (a row with filter ${filter}, which does not exist)`);
  }
  const ihdr = Buffer.alloc(13);
  ihdr.writeUInt32BE(pass.width, 0);
  ihdr.writeUInt32BE(pass.height, 4);
  // Palette indices decode like grey values.
  ihdr.set([header.depth, header.colorType === 3 ? 0 : header.colorType, 0, 0, 0], 8);
  const { data } = decode(
    Buffer.concat([
      signature,
      chunk('IHDR', ihdr),
      chunk('IDAT', deflateSync(filtered, { level: 0 })),
      chunk('IEND', Buffer.alloc(0)),
    ]),
  );
  if (data instanceof Uint16Array) return data;
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.length);
  return header.depth < 8 ? unpack(bytes, pass, header.depth) : bytes;
}

function chunk(type: string, data: Buffer): Buffer {
  const bytes = Buffer.alloc(data.length + 12);
  bytes.writeUInt32BE(data.length, 0);
  bytes.write(type, 4, 'latin1');
  data.copy(bytes, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, -4)), data.length + 8);
  return bytes;
}

/** One sample per byte from rows of 1, 2 or 4 bits; the leftmost pixel is in the highest bits. */
function unpack(packed: Uint8Array, { width, height, rowBytes }: PngPass, depth: number): Uint8Array {
  const perByte = 8 / depth;
  const out = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const byte = packed[y * rowBytes + Math.floor(x / perByte)]!;
      out[y * width + x] = (byte >> (8 - depth * ((x % perByte) + 1))) & (2 ** depth - 1);
    }
  }
  return out;
}

/** Copies the pixels of a pass to their places in the whole image. */
function scatter(
  samples: Uint8Array | Uint16Array,
  pass: PngPass,
  out: Uint8Array | Uint16Array,
  { width, channels }: PngHeader,
): void {
  let from = 0;
  for (let row = 0; row < pass.height; row++) {
    for (let column = 0; column < pass.width; column++) {
      const to = ((pass.y + row * pass.dy) * width + pass.x + column * pass.dx) * channels;
      for (let c = 0; c < channels; c++) out[to + c] = samples[from++]!;
    }
  }
}
