import { promisify } from 'node:util';
import { crc32, deflateSync, inflate } from 'node:zlib';
import { convertIndexedToRgb, type DecodedPng, decode } from 'fast-png';
import { UnimissError } from '../../../protocol/errors.ts';
import type { Image2D } from '../types.ts';
import { readEnds, readWhole } from './bytes.ts';
import { toRgb, windowTo8Bit } from './intensity.ts';
import { limits, maxInflation } from './limits.ts';

const inflateAsync = promisify(inflate);

/** What the header of a PNG file says. */
export interface PngHeader {
  readonly width: number;
  readonly height: number;
  /** Bits of a sample. */
  readonly depth: number;
  /** 0 grey, 2 RGB, 3 palette, 4 grey + alpha, 6 RGBA. */
  readonly colorType: number;
  readonly interlaced: boolean;
}

/** Bit depths that the standard (PNG, third edition, 11.2.1) allows by colour type, and samples a pixel. */
const colorTypes: Record<number, { depths: readonly number[]; samples: number }> = {
  0: { depths: [1, 2, 4, 8, 16], samples: 1 },
  2: { depths: [8, 16], samples: 3 },
  3: { depths: [1, 2, 4, 8], samples: 1 },
  4: { depths: [8, 16], samples: 2 },
  6: { depths: [8, 16], samples: 4 },
};

const signatureBytes = 8;
const headerEnd = 33; // signature, IHDR with length, type and CRC

function broken(path: string, what: string, cause?: unknown): UnimissError {
  return new UnimissError('data', what, { place: path, cause });
}

function parseHeader(path: string, head: Buffer): PngHeader {
  if (head.length < headerEnd) throw broken(path, `is too short for a PNG file (${head.length} bytes)`);
  if (head.toString('latin1', 12, 16) !== 'IHDR' || head.readUInt32BE(8) !== 13) {
    throw broken(path, 'is a PNG file without a header (IHDR)');
  }
  if (crc32(head.subarray(12, 29)) !== head.readUInt32BE(29))
    throw broken(path, 'has a damaged header (checksum of IHDR)');
  const [width, height] = [head.readUInt32BE(16), head.readUInt32BE(20)];
  const [depth, colorType, compression, filter, interlace] = head.subarray(24, 29);
  if (width < 1 || height < 1) throw broken(path, `says that it has ${width}×${height} pixels`);
  if (width * height > limits.pixels) {
    throw broken(path, `claims ${width}×${height} pixels, more than the limit of ${limits.pixels}`);
  }
  if (!colorTypes[colorType!]?.depths.includes(depth!) || compression !== 0 || filter !== 0 || interlace! > 1) {
    throw broken(path, `has an impossible header (colour type ${colorType}, ${depth} bits, interlacing ${interlace})`);
  }
  return { width, height, depth: depth!, colorType: colorType!, interlaced: interlace === 1 };
}

/** Reads and checks a PNG file's header and end without decoding it. Throws UnimissError('data') naming the reason. */
export async function inspectPng(path: string): Promise<PngHeader> {
  const { head, tail, size } = await readEnds(path, headerEnd, 4096);
  const header = parseHeader(path, head);
  if (tail.lastIndexOf('IEND', undefined, 'latin1') < 0) throw broken(path, 'ends too early: the file is truncated');
  checkRoom(path, header, size);
  return header;
}

function checkRoom(path: string, header: PngHeader, compressedBytes: number): void {
  if (compressedBytes * maxInflation < rawLength(header)) {
    throw broken(path, `claims ${header.width}×${header.height} pixels, which ${compressedBytes} bytes cannot hold`);
  }
}

/** Bytes of the filtered rows: each has one filter byte; with Adam7 seven smaller images follow one another. */
function rawLength({ width, height, depth, colorType, interlaced }: PngHeader): number {
  const bits = depth * colorTypes[colorType]!.samples;
  const image = (w: number, h: number) => (w === 0 ? 0 : h * (1 + Math.ceil((w * bits) / 8)));
  if (!interlaced) return image(width, height);
  const passes = [
    [0, 0, 8, 8],
    [4, 0, 8, 8],
    [0, 4, 4, 8],
    [2, 0, 4, 4],
    [0, 2, 2, 4],
    [1, 0, 2, 2],
    [0, 1, 1, 2],
  ] as const;
  return passes.reduce(
    (sum, [x, y, dx, dy]) => sum + image(Math.ceil((width - x) / dx), Math.ceil((height - y) / dy)),
    0,
  );
}

/**
 * Reads a PNG file as 8-bit RGB. Grey is repeated, palettes are looked up, transparent parts lie on black,
 * 1 to 4 bits are spread over 0–255, 16 bits are windowed (`windowTo8Bit`).
 * Only the chunks that pixels need reach the decoder, after their checksums and with their data inflated to exactly
 * the length that the header asks for: neither the data nor a colour profile can blow up.
 */
export async function readPng(path: string): Promise<Image2D> {
  const file = await readWhole(path, limits.imageFileBytes);
  const header = parseHeader(path, file);
  const chunks = pixelChunks(path, file);
  const raw = await inflatePixels(path, header, chunks.data);
  const plain = Buffer.concat([
    file.subarray(0, headerEnd),
    ...chunks.color,
    chunk('IDAT', deflateSync(raw, { level: 0 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
  try {
    const decoded = decode(plain);
    return { kind: '2D', width: header.width, height: header.height, data: rgbOf(decoded) };
  } catch (error) {
    throw broken(path, `is damaged (${error instanceof Error ? error.message : String(error)})`, error);
  }
}

/** A chunk for the decoder, which does not look at checksums. */
function chunk(type: string, data: Buffer): Buffer {
  const bytes = Buffer.alloc(data.length + 12);
  bytes.writeUInt32BE(data.length, 0);
  bytes.write(type, 4, 'latin1');
  data.copy(bytes, 8);
  return bytes;
}

/** The palette and transparency chunks as they are, and the compressed pixels. */
function pixelChunks(path: string, file: Buffer): { color: Buffer[]; data: Buffer } {
  const color: Buffer[] = [];
  const data: Buffer[] = [];
  for (let at = signatureBytes; ; ) {
    if (at + 12 > file.length) throw broken(path, 'ends too early: the file is truncated');
    const end = at + 12 + file.readUInt32BE(at);
    const type = file.toString('latin1', at + 4, at + 8);
    if (type === 'IEND') return { color, data: Buffer.concat(data) };
    if (end > file.length) throw broken(path, 'ends too early: the file is truncated');
    if (type === 'PLTE' || type === 'tRNS' || type === 'IDAT') {
      if (crc32(file.subarray(at + 4, end - 4)) !== file.readUInt32BE(end - 4)) {
        throw broken(path, `is damaged (checksum of ${type} at byte ${at})`);
      }
      if (type === 'IDAT') data.push(file.subarray(at + 8, end - 4));
      else color.push(file.subarray(at, end));
    }
    at = end;
  }
}

async function inflatePixels(path: string, header: PngHeader, data: Buffer): Promise<Buffer> {
  checkRoom(path, header, data.length);
  const expected = rawLength(header);
  let raw: Buffer;
  try {
    raw = await inflateAsync(data, { chunkSize: Math.max(64, expected), maxOutputLength: Math.max(64, expected) });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') throw broken(path, 'holds more pixels than its header claims', error);
    if (code === 'Z_BUF_ERROR') throw broken(path, 'ends too early: its pixels are truncated', error);
    throw broken(path, `has damaged pixels (${message})`, error);
  }
  if (raw.length < expected) throw broken(path, `holds ${raw.length} of the ${expected} bytes that its header claims`);
  if (raw.length > expected) throw broken(path, 'holds more pixels than its header claims');
  return raw;
}

function rgbOf(png: DecodedPng): Uint8Array {
  if (png.palette) {
    const colors = convertIndexedToRgb(png);
    return toRgb(new Uint8Array(colors), png.palette[0]!.length);
  }
  if (png.depth === 16) {
    const samples = png.data as Uint16Array;
    clearTransparent(samples, png);
    const opaque = png.channels === 2 || png.channels === 4 ? onBlack(samples, png.channels) : samples;
    return toRgb(windowTo8Bit(opaque), png.channels <= 2 ? 1 : 3);
  }
  const samples = png.depth === 8 ? (png.data as Uint8Array) : unpack(png.data as Uint8Array, png);
  clearTransparent(samples, png);
  if (png.depth < 8) {
    const scale = 255 / (2 ** png.depth - 1);
    for (let i = 0; i < samples.length; i++) samples[i] = samples[i]! * scale;
  }
  return toRgb(samples, png.channels);
}

/** One sample a byte from rows of 1, 2 or 4 bits, the leftmost pixel in the highest bits. */
function unpack(packed: Uint8Array, { width, height, depth }: DecodedPng): Uint8Array {
  const perByte = 8 / depth;
  const rowBytes = Math.ceil(width / perByte);
  const out = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const byte = packed[y * rowBytes + Math.floor(x / perByte)]!;
      out[y * width + x] = (byte >> (8 - depth * ((x % perByte) + 1))) & (2 ** depth - 1);
    }
  }
  return out;
}

/** Pixels of the colour that a tRNS chunk declares transparent become black. */
function clearTransparent(samples: Uint8Array | Uint16Array, { transparency, channels }: DecodedPng): void {
  if (!transparency || transparency.length < channels) return;
  for (let at = 0; at < samples.length; at += channels) {
    let same = true;
    for (let c = 0; c < channels; c++) same &&= samples[at + c] === transparency[c];
    if (same) samples.fill(0, at, at + channels);
  }
}

/** 16-bit grey or RGB from samples with alpha, on black. */
function onBlack(samples: Uint16Array, channels: number): Uint16Array {
  const colors = channels - 1;
  const out = new Uint16Array((samples.length / channels) * colors);
  for (let i = 0; i < out.length / colors; i++) {
    const alpha = samples[i * channels + colors]! / 65535;
    for (let c = 0; c < colors; c++) out[i * colors + c] = Math.round(samples[i * channels + c]! * alpha);
  }
  return out;
}
