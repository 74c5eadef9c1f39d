import { decode } from 'jpeg-js';
import type { Image2D } from '../types.ts';
import { readEnds, readWhole } from './bytes.ts';
import { upright } from './exifOrientation.ts';
import { imageError } from './imageError.ts';
import { type JpegHeader, parseJpegHeader } from './jpegHeader.ts';
import { limits } from './limits.ts';

/** Bytes from the start in which to look for the header, which may follow metadata and preview pictures of up to 4 MiB. */
const headBytes = [64 * 1024, 4 * 1024 * 1024];
/** Memory limit of the decoder: about 20 bytes per pixel at the limit of pixels. */
const decoderMiB = 1024;

/** Reads and checks a JPEG file's header and end without decoding it. Throws UnimissError('data') naming the reason. */
export async function inspectJpeg(path: string): Promise<JpegHeader> {
  for (const length of headBytes) {
    const { head, tail, size } = await readEnds(path, length, 64 * 1024);
    const header = parseJpegHeader(path, head);
    if (header) {
      checkEnd(path, tail);
      checkRoom(path, header, size);
      return header;
    }
    if (head.length === size) break;
  }
  throw noFrame(path);
}

function noFrame(path: string) {
  return imageError(path, 'has no frame header: the file is truncated');
}

function checkEnd(path: string, tail: Buffer): void {
  if (tail.lastIndexOf(Buffer.from([0xff, 0xd9])) < 0) {
    throw imageError(path, 'ends too early: the file is truncated');
  }
}

/** Each 8×8 block of one component needs at least two bits (two Huffman codes) in a sequential scan, and progressive scans only add. */
function checkRoom(path: string, { width, height }: JpegHeader, bytes: number): void {
  // Chroma may be coarser by 4×4 and progressive end-of-band runs code many blocks at once, hence the wide margin.
  if (bytes * 8 * 64 * 64 < width * height) {
    throw imageError(path, `claims ${width}×${height} pixels, which ${bytes} bytes cannot hold`);
  }
}

/**
 * Reads a JPEG file (baseline, extended or progressive; grey, RGB, YCbCr or CMYK) as 8-bit RGB, upright by its EXIF orientation.
 * Converts CMYK to RGB without a colour profile: each of R, G, B is the complement of its ink times that of black. Truncated or
 * damaged pixels are an error, not grey areas. Throws UnimissError('data') naming the reason.
 */
export async function readJpeg(path: string): Promise<Image2D> {
  const file = await readWhole(path, limits.imageFileBytes);
  const header = parseJpegHeader(path, file);
  if (!header) throw noFrame(path);
  checkEnd(path, file.subarray(header.scanAt));
  checkRoom(path, header, file.length);
  return upright(decoded(path, file, header), header.orientation);
}

function decoded(path: string, file: Buffer, header: JpegHeader): Image2D {
  try {
    const { width, height, data } = decode(file, {
      useTArray: true,
      formatAsRGBA: false,
      tolerantDecoding: false,
      maxResolutionInMP: limits.pixels / 1e6,
      maxMemoryUsageInMB: decoderMiB,
      // The choice concerns three components only: for four, the decoder uses the Adobe marker.
      ...(header.components === 3 && { colorTransform: !header.storedAsRgb }),
    });
    return { kind: '2D', width, height, data };
  } catch (error) {
    // The decoder's own words about damaged bytes ("Cannot set properties of undefined") help nobody; the cause keeps them.
    throw imageError(path, 'is damaged: its pixels cannot be decoded', { cause: error });
  }
}
