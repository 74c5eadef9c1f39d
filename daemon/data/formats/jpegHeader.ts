import { exifOrientation, type Orientation } from './exifOrientation.ts';
import { imageError } from './imageError.ts';
import { limits } from './limits.ts';

/** The information in the segments of a JPEG file before its coded pixels. */
export interface JpegHeader {
  /** Pixels as stored, before `orientation` turns them. */
  readonly width: number;
  readonly height: number;
  /** 1 grey, 3 colour, 4 CMYK. */
  readonly components: number;
  /** Three components are RGB; false: they are YCbCr. */
  readonly storedAsRgb: boolean;
  readonly orientation: Orientation;
  /** Byte at which the coded pixels start. */
  readonly scanAt: number;
}

/** The frame header alone; `ids` are the numbers of the components. */
interface Frame {
  readonly width: number;
  readonly height: number;
  readonly components: number;
  readonly ids: readonly number[];
}

/** Markers of segments (ITU-T T.81, B.1.1.3), and the application markers that matter here. */
const marker = { startOfScan: 0xda, endOfImage: 0xd9, jfif: 0xe0, exif: 0xe1, adobe: 0xee } as const;

/**
 * Reads and checks the segments before the coded pixels.
 * @returns undefined if the pixels do not start within these bytes
 * @throws UnimissError('data') naming the reason
 */
export function parseJpegHeader(path: string, bytes: Buffer): JpegHeader | undefined {
  let frame: Frame | undefined;
  let orientation: Orientation = 1;
  let hasJfif = false;
  let adobeTransform: number | undefined;
  for (let at = 2; at + 4 <= bytes.length; ) {
    if (bytes[at] !== 0xff) throw imageError(path, `is damaged: no JPEG marker at byte ${at}`);
    const code = bytes.readUInt8(at + 1);
    if (code === 0xff) {
      at++; // fill byte
      continue;
    }
    const length = bytes.readUInt16BE(at + 2);
    if (code === marker.startOfScan) {
      if (!frame) throw imageError(path, 'has pixels before its frame header');
      const { width, height, components, ids } = frame;
      if (components === 4 && adobeTransform === undefined) {
        throw imageError(path, 'has four colour components, and nothing says that they are CMYK', {
          remedy: 'Save it as RGB or grey.',
        });
      }
      const storedAsRgb = components === 3 && isRgb(ids, hasJfif, adobeTransform);
      return { width, height, components, storedAsRgb, orientation, scanAt: at };
    }
    if (code === marker.endOfImage) throw imageError(path, 'ends before its pixels');
    if (isFrame(code)) {
      if (at + 10 > bytes.length) return undefined;
      frame = checkedFrame(path, code, bytes.subarray(at + 4, at + 2 + length));
    }
    if (length < 2) throw imageError(path, `is damaged: a segment of length ${length} at byte ${at}`);
    const content = bytes.subarray(at + 4, at + 2 + length);
    if (code === marker.jfif && startsWith(content, 'JFIF\0')) hasJfif = true;
    else if (code === marker.adobe && startsWith(content, 'Adobe') && content.length >= 12) {
      adobeTransform = content.readUInt8(11);
    } else if (code === marker.exif && startsWith(content, 'Exif\0\0') && orientation === 1) {
      orientation = exifOrientation(content.subarray(6));
    }
    at += 2 + length;
  }
  return undefined;
}

function startsWith(content: Buffer, text: string): boolean {
  return content.toString('latin1', 0, text.length) === text;
}

/** SOF0 to SOF15, except DHT, JPG and DAC, which are between them. */
function isFrame(code: number): boolean {
  return code >= 0xc0 && code <= 0xcf && code !== 0xc4 && code !== 0xc8 && code !== 0xcc;
}

/**
 * How three components are stored, by libjpeg's rules: JFIF means YCbCr. Without JFIF the Adobe marker decides (0 is RGB).
 * Without either, components with the names R, G and B are RGB.
 */
function isRgb(ids: readonly number[], hasJfif: boolean, adobeTransform: number | undefined): boolean {
  if (hasJfif) return false;
  if (adobeTransform !== undefined) return adobeTransform === 0;
  return String.fromCharCode(...ids) === 'RGB';
}

function checkedFrame(path: string, code: number, frame: Buffer): Frame {
  if (code > 0xc2) {
    throw imageError(path, `uses an unsupported kind of JPEG (SOF${code - 0xc0}: lossless or arithmetic coding)`);
  }
  if (frame.length < 6) throw imageError(path, `is damaged: a frame header of ${frame.length} bytes`);
  const precision = frame.readUInt8(0);
  const [height, width, components] = [frame.readUInt16BE(1), frame.readUInt16BE(3), frame.readUInt8(5)];
  const size = `${width}×${height}`;
  if (precision !== 8) throw imageError(path, `has ${precision} bits a sample; only 8 bits are supported`);
  if (width < 1 || height < 1) throw imageError(path, `says that it has ${size} pixels`);
  if (width * height > limits.pixels) {
    throw imageError(path, `claims ${size} pixels, more than the limit of ${limits.pixels}`);
  }
  if (![1, 3, 4].includes(components)) throw imageError(path, `has ${components} colour components`);
  const ids = Array.from({ length: components }, (_, c) => frame[6 + 3 * c] ?? 0);
  return { width, height, components, ids };
}
