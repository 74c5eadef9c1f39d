import { promisify } from 'node:util';
import { crc32, inflate } from 'node:zlib';
import type { Image2D } from '../types.ts';
import { readEnds, readWhole } from './bytes.ts';
import { exifOrientation, upright } from './exifOrientation.ts';
import { imageError } from './imageError.ts';
import { toRgb, windowTo8Bit } from './intensity.ts';
import { limits, maxInflation } from './limits.ts';
import { filteredBytes, type PngHeader, parsePngHeader, pngHeaderBytes } from './pngHeader.ts';
import { pngSamples } from './pngSamples.ts';

const inflateAsync = promisify(inflate);

const signatureBytes = 8;

/** Reads and checks a PNG file's header and end without decoding it. Throws UnimissError('data') naming the reason. */
export async function inspectPng(path: string): Promise<PngHeader> {
  const { head, tail, size } = await readEnds(path, pngHeaderBytes, 4096);
  const header = parsePngHeader(path, head);
  if (tail.lastIndexOf('IEND', undefined, 'latin1') < 0) {
    throw imageError(path, 'ends too early: the file is truncated');
  }
  checkRoom(path, header, size);
  return header;
}

function checkRoom(path: string, header: PngHeader, compressedBytes: number): void {
  if (compressedBytes * maxInflation < filteredBytes(header)) {
    throw imageError(
      path,
      `claims ${header.width}×${header.height} pixels, which ${compressedBytes} bytes cannot hold`,
    );
  }
}

/**
 * Reads a PNG file as 8-bit RGB, upright by its EXIF orientation if it has one. Repeats grey, looks up palettes, blends
 * transparent parts with black, scales 1 to 4 bits to 0–255, and windows 16 bits (`windowTo8Bit`). Checks the checksums of the
 * chunks that it needs, and inflates the pixels to exactly the length in the header, so that neither pixels nor a colour profile
 * can fill the memory.
 * @throws UnimissError('data') naming the reason
 */
export async function readPng(path: string): Promise<Image2D> {
  const file = await readWhole(path, limits.imageFileBytes);
  const header = parsePngHeader(path, file);
  const chunks = pixelChunks(path, file);
  const samples = pngSamples(path, header, await inflatePixels(path, header, chunks.pixels));
  const data = header.colorType === 3 ? lookUp(path, samples, chunks) : rgbOf(header, samples, chunks.transparency);
  const image: Image2D = { kind: '2D', width: header.width, height: header.height, data };
  return chunks.exif ? upright(image, exifOrientation(chunks.exif)) : image;
}

/**
 * Reads a PNG file as labels: the stored numbers, never spread or windowed; of a palette its indices. Colour is accepted where all
 * three values of each pixel are equal; alpha is ignored. An EXIF orientation is refused, as labels that are turned fit no image.
 * @returns whole numbers in C order [height, width]
 * @throws UnimissError('data') naming the reason
 */
export async function readPngLabels(path: string): Promise<{ width: number; height: number; data: Int16Array }> {
  const file = await readWhole(path, limits.imageFileBytes);
  const header = parsePngHeader(path, file);
  const chunks = pixelChunks(path, file);
  if (chunks.exif && exifOrientation(chunks.exif) !== 1)
    throw imageError(path, 'is turned by its EXIF data, which labels cannot be', {
      remedy: 'Save it upright, without EXIF data.',
    });
  const samples = pngSamples(path, header, await inflatePixels(path, header, chunks.pixels));
  const { width, height, channels } = header;
  const data = new Int16Array(width * height);
  for (let i = 0; i < data.length; i++) {
    const at = i * channels;
    const value = samples[at]!;
    if (channels >= 3 && (samples[at + 1] !== value || samples[at + 2] !== value))
      throw imageError(
        path,
        `is a colour image where a grey one is expected (at row ${Math.floor(i / width)}, column ${i % width})`,
        {
          remedy: 'Save labels as one grey channel whose values are the numbers of the classes.',
        },
      );
    if (value > 32767) throw imageError(path, `has the label ${value}, more than 32767`);
    data[i] = value;
  }
  return { width, height, data };
}

/** Contents of the chunks that determine the pixels. */
interface PixelChunks {
  /** IDAT: the compressed pixels. */
  readonly pixels: Buffer;
  /** PLTE */
  readonly palette?: Buffer;
  /** tRNS */
  readonly transparency?: Buffer;
  /** eXIf */
  readonly exif?: Buffer;
}

const singleChunks: Record<string, 'palette' | 'transparency' | 'exif'> = {
  PLTE: 'palette',
  tRNS: 'transparency',
  eXIf: 'exif',
};

function pixelChunks(path: string, file: Buffer): PixelChunks {
  const pixels: Buffer[] = [];
  const single: { palette?: Buffer; transparency?: Buffer; exif?: Buffer } = {};
  for (let at = signatureBytes; ; ) {
    if (at + 12 > file.length) throw imageError(path, 'ends too early: the file is truncated');
    const end = at + 12 + file.readUInt32BE(at);
    const type = file.toString('latin1', at + 4, at + 8);
    if (type === 'IEND') return { pixels: Buffer.concat(pixels), ...single };
    if (end > file.length) throw imageError(path, 'ends too early: the file is truncated');
    const name = singleChunks[type];
    if (name !== undefined || type === 'IDAT') {
      if (crc32(file.subarray(at + 4, end - 4)) !== file.readUInt32BE(end - 4)) {
        throw imageError(path, `is damaged (checksum of ${type} at byte ${at})`);
      }
      const content = file.subarray(at + 8, end - 4);
      if (name === undefined) pixels.push(content);
      else single[name] = content;
    }
    at = end;
  }
}

async function inflatePixels(path: string, header: PngHeader, data: Buffer): Promise<Buffer> {
  checkRoom(path, header, data.length);
  const expected = filteredBytes(header);
  const tooMany = 'holds more pixels than its header claims';
  let raw: Buffer;
  try {
    raw = await inflateAsync(data, { chunkSize: Math.max(64, expected), maxOutputLength: Math.max(64, expected) });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') throw imageError(path, tooMany, { cause: error });
    if (code === 'Z_BUF_ERROR') {
      throw imageError(path, 'ends too early: its pixels are truncated', { cause: error });
    }
    throw imageError(path, 'is damaged: its pixels cannot be decompressed', { cause: error });
  }
  if (raw.length < expected) {
    throw imageError(path, `holds ${raw.length} of the ${expected} bytes that its header claims`);
  }
  if (raw.length > expected) throw imageError(path, tooMany);
  return raw;
}

/** RGB from palette indices; transparent colours are blended with black. */
function lookUp(path: string, numbers: Uint8Array | Uint16Array, { palette, transparency }: PixelChunks): Uint8Array {
  if (!palette) throw imageError(path, 'is damaged (it has no palette)');
  const colors = Math.floor(palette.length / 3);
  const rgb = new Uint8Array(3 * numbers.length);
  for (let i = 0; i < numbers.length; i++) {
    const number = numbers[i]!;
    if (number >= colors) {
      throw imageError(path, `is damaged (a pixel has colour ${number} of a palette of ${colors})`);
    }
    const alpha = transparency?.[number] ?? 255;
    for (let c = 0; c < 3; c++) {
      const value = palette[3 * number + c]!;
      rgb[3 * i + c] = alpha === 255 ? value : Math.round((value * alpha) / 255);
    }
  }
  return rgb;
}

/** RGB from grey or colour samples. */
function rgbOf(header: PngHeader, samples: Uint8Array | Uint16Array, transparency: Buffer | undefined): Uint8Array {
  const { depth, channels } = header;
  if (transparency) clearTransparent(samples, channels, transparency);
  if (samples instanceof Uint16Array) {
    const opaque = channels === 2 || channels === 4 ? onBlack(samples, channels) : samples;
    return toRgb(windowTo8Bit(opaque), channels <= 2 ? 1 : 3);
  }
  if (depth < 8) {
    const scale = 255 / (2 ** depth - 1);
    for (let i = 0; i < samples.length; i++) samples[i] = samples[i]! * scale;
  }
  return toRgb(samples, channels);
}

/** Turns pixels of the transparent colour of a tRNS chunk (16 bits per sample) black. */
function clearTransparent(samples: Uint8Array | Uint16Array, channels: number, transparency: Buffer): void {
  if (channels % 2 === 0 || transparency.length < 2 * channels) return;
  const color = Array.from({ length: channels }, (_, c) => transparency.readUInt16BE(2 * c));
  for (let at = 0; at < samples.length; at += channels) {
    if (color.every((value, c) => samples[at + c] === value)) samples.fill(0, at, at + channels);
  }
}

/** 16-bit grey or RGB from samples with alpha, blended with black. */
function onBlack(samples: Uint16Array, channels: number): Uint16Array {
  const colors = channels - 1;
  const out = new Uint16Array((samples.length / channels) * colors);
  for (let i = 0; i < out.length / colors; i++) {
    const alpha = samples[i * channels + colors]! / 65535;
    for (let c = 0; c < colors; c++) out[i * colors + c] = Math.round(samples[i * channels + c]! * alpha);
  }
  return out;
}
