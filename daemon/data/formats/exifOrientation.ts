import type { Image2D } from '../types.ts';

/** How to turn a stored picture upright: values of the tag Orientation (EXIF 2.3, 4.6.4 A). 1: as stored. */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

const orientationTag = 0x0112;
const shortType = 3;
const entryBytes = 12;

/**
 * The orientation in EXIF data (a TIFF header and its first directory). 1 for data without this tag and for damaged data: they
 * are no part of the pixels, and other readers ignore them too.
 */
export function exifOrientation(tiff: Buffer): Orientation {
  const order = tiff.toString('latin1', 0, 2);
  if (tiff.length < 8 || (order !== 'II' && order !== 'MM')) return 1;
  const short = (at: number) => (order === 'II' ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at));
  const directory = order === 'II' ? tiff.readUInt32LE(4) : tiff.readUInt32BE(4);
  if (short(2) !== 42 || directory + 2 > tiff.length) return 1;
  for (let entry = 0; entry < short(directory); entry++) {
    const at = directory + 2 + entry * entryBytes;
    if (at + entryBytes > tiff.length) return 1;
    if (short(at) !== orientationTag || short(at + 2) !== shortType) continue;
    const value = short(at + 8);
    return isOrientation(value) ? value : 1;
  }
  return 1;
}

function isOrientation(value: number): value is Orientation {
  return Number.isInteger(value) && value >= 1 && value <= 8;
}

/** Turns and mirrors the picture by its orientation; 5 to 8 swap width and height. */
export function upright(image: Image2D, orientation: Orientation): Image2D {
  if (orientation === 1) return image;
  const { width: w, height: h, data } = image;
  const turned = orientation >= 5;
  const [width, height] = turned ? [h, w] : [w, h];
  const out = new Uint8Array(data.length);
  // Stored rows run backwards in 3, 4, 6, 7; stored columns in 2, 3, 7, 8.
  const rowsBack = [3, 4, 6, 7].includes(orientation);
  const columnsBack = [2, 3, 7, 8].includes(orientation);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to += 3) {
      const [column, row] = turned ? [y, x] : [x, y];
      const from = 3 * ((rowsBack ? h - 1 - row : row) * w + (columnsBack ? w - 1 - column : column));
      out[to] = data[from]!;
      out[to + 1] = data[from + 1]!;
      out[to + 2] = data[from + 2]!;
    }
  }
  return { kind: '2D', width, height, data: out };
}
