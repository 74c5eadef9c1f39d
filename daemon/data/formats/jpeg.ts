import { decode } from 'jpeg-js';
import { UnimissError } from '../../../protocol/errors.ts';
import type { Image2D } from '../types.ts';
import { readEnds, readWhole } from './bytes.ts';
import { limits } from './limits.ts';

/** What the frame header of a JPEG file says. */
export interface JpegHeader {
  readonly width: number;
  readonly height: number;
  /** 1 grey, 3 colour, 4 CMYK. */
  readonly components: number;
}

/** Start of the file in which a frame header is looked for: behind metadata and preview pictures of up to 4 MiB. */
const headBytes = [64 * 1024, 4 * 1024 * 1024];
/** Memory that the decoder may take: about 20 bytes a pixel at the limit of pixels. */
const decoderMiB = 1024;

function broken(path: string, what: string, cause?: unknown): UnimissError {
  return new UnimissError('data', what, { place: path, cause });
}

/** The frame header, and where the coded pixels start; undefined: not within these bytes. */
function findFrame(path: string, bytes: Buffer): { header: JpegHeader; scanAt: number } | undefined {
  let header: JpegHeader | undefined;
  for (let at = 2; at + 4 <= bytes.length; ) {
    if (bytes[at] !== 0xff) throw broken(path, `is damaged: no JPEG marker at byte ${at}`);
    const marker = bytes[at + 1]!;
    if (marker === 0xff) {
      at++; // fill byte
      continue;
    }
    const length = bytes.readUInt16BE(at + 2);
    if (marker === 0xda) {
      if (!header) throw broken(path, 'has pixels before its frame header');
      return { header, scanAt: at };
    }
    if (marker === 0xd9) throw broken(path, 'ends before its pixels');
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (isFrame) {
      if (at + 10 > bytes.length) return undefined;
      header = checkedFrame(path, marker, bytes.subarray(at + 4, at + 10));
    }
    if (length < 2) throw broken(path, `is damaged: a segment of length ${length} at byte ${at}`);
    at += 2 + length;
  }
  return undefined;
}

function checkedFrame(path: string, marker: number, frame: Buffer): JpegHeader {
  if (marker > 0xc2) {
    throw broken(path, `uses a kind of JPEG that is not read (SOF${marker - 0xc0}: lossless or arithmetic coding)`);
  }
  const precision = frame[0]!;
  const header = { height: frame.readUInt16BE(1), width: frame.readUInt16BE(3), components: frame[5]! };
  const size = `${header.width}×${header.height}`;
  if (precision !== 8) throw broken(path, `has ${precision} bits a sample; JPEG of 8 bits is read`);
  if (header.width < 1 || header.height < 1) throw broken(path, `says that it has ${size} pixels`);
  if (header.width * header.height > limits.pixels) {
    throw broken(path, `claims ${size} pixels, more than the limit of ${limits.pixels}`);
  }
  if (![1, 3, 4].includes(header.components)) throw broken(path, `has ${header.components} colour components`);
  return header;
}

/** Reads and checks a JPEG file's frame header and end without decoding it. Throws UnimissError('data') naming the reason. */
export async function inspectJpeg(path: string): Promise<JpegHeader> {
  for (const length of headBytes) {
    const { head, tail, size } = await readEnds(path, length, 64 * 1024);
    const frame = findFrame(path, head);
    if (frame) {
      checkEnd(path, tail);
      checkRoom(path, frame.header, size);
      return frame.header;
    }
    if (head.length === size) break;
  }
  throw broken(path, 'has no frame header: the file is truncated');
}

function checkEnd(path: string, tail: Buffer): void {
  if (tail.lastIndexOf(Buffer.from([0xff, 0xd9])) < 0) throw broken(path, 'ends too early: the file is truncated');
}

/** Each 8×8 block of one component needs at least two bits (two Huffman codes) in a sequential scan, and progressive scans only add. */
function checkRoom(path: string, { width, height }: JpegHeader, bytes: number): void {
  // Chroma may be coarser by 4×4 and progressive end-of-band runs code many blocks at once, hence the wide margin.
  if (bytes * 8 * 64 * 64 < width * height) {
    throw broken(path, `claims ${width}×${height} pixels, which ${bytes} bytes cannot hold`);
  }
}

/**
 * Reads a JPEG file (baseline, extended or progressive; grey, colour or CMYK) as 8-bit RGB.
 * Truncated or damaged pixels are an error, not grey areas. Throws UnimissError('data') naming the reason.
 */
export async function readJpeg(path: string): Promise<Image2D> {
  const file = await readWhole(path, limits.imageFileBytes);
  const frame = findFrame(path, file);
  if (!frame) throw broken(path, 'has no frame header: the file is truncated');
  checkEnd(path, file.subarray(frame.scanAt));
  checkRoom(path, frame.header, file.length);
  try {
    const { width, height, data } = decode(file, {
      useTArray: true,
      formatAsRGBA: false,
      tolerantDecoding: false,
      maxResolutionInMP: limits.pixels / 1e6,
      maxMemoryUsageInMB: decoderMiB,
    });
    return { kind: '2D', width, height, data };
  } catch (error) {
    throw broken(path, `is damaged (${error instanceof Error ? error.message : String(error)})`, error);
  }
}
