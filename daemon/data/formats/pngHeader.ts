import { crc32 } from 'node:zlib';
import { imageError } from './imageError.ts';
import { limits } from './limits.ts';

/** The information in the header of a PNG file. */
export interface PngHeader {
  /** Pixels as stored, before an EXIF orientation turns them. */
  readonly width: number;
  readonly height: number;
  /** Bits of a sample. */
  readonly depth: number;
  /** 0 grey, 2 RGB, 3 palette, 4 grey + alpha, 6 RGBA. */
  readonly colorType: number;
  /** Samples of a pixel, 1 to 4. */
  readonly channels: number;
  readonly interlaced: boolean;
}

/** Allowed bit depths by colour type (PNG, third edition, 11.2.1), and samples per pixel. */
const colorTypes: Record<number, { depths: readonly number[]; channels: number }> = {
  0: { depths: [1, 2, 4, 8, 16], channels: 1 },
  2: { depths: [8, 16], channels: 3 },
  3: { depths: [1, 2, 4, 8], channels: 1 },
  4: { depths: [8, 16], channels: 2 },
  6: { depths: [8, 16], channels: 4 },
};

/** Bytes of the signature and of IHDR with its length, type and checksum. */
export const pngHeaderBytes = 33;

/** Reads and checks IHDR, which follows the signature. Throws UnimissError('data') naming the reason. */
export function parsePngHeader(path: string, head: Buffer): PngHeader {
  if (head.length < pngHeaderBytes) throw imageError(path, `is too short for a PNG file (${head.length} bytes)`);
  if (head.toString('latin1', 12, 16) !== 'IHDR' || head.readUInt32BE(8) !== 13) {
    throw imageError(path, 'is a PNG file without a header (IHDR)');
  }
  if (crc32(head.subarray(12, 29)) !== head.readUInt32BE(29)) {
    throw imageError(path, 'has a damaged header (checksum of IHDR)');
  }
  const [width, height] = [head.readUInt32BE(16), head.readUInt32BE(20)];
  const [depth, colorType, compression, filter, interlace] = [24, 25, 26, 27, 28].map((at) => head.readUInt8(at));
  if (width < 1 || height < 1) throw imageError(path, `says that it has ${width}×${height} pixels`);
  if (width * height > limits.pixels) {
    throw imageError(path, `claims ${width}×${height} pixels, more than the limit of ${limits.pixels}`);
  }
  const color = colorType === undefined ? undefined : colorTypes[colorType];
  const possible = color !== undefined && depth !== undefined && color.depths.includes(depth);
  if (!possible || compression !== 0 || filter !== 0 || (interlace !== 0 && interlace !== 1)) {
    throw imageError(
      path,
      `has an impossible header (colour type ${colorType}, ${depth} bits, interlacing ${interlace})`,
    );
  }
  return { width, height, depth, colorType: colorType!, channels: color.channels, interlaced: interlace === 1 };
}

/** A subset of the pixels, stored as a separate image: every `dx`-th column from `x`, every `dy`-th row from `y`. */
export interface PngPass {
  readonly x: number;
  readonly y: number;
  readonly dx: number;
  readonly dy: number;
  readonly width: number;
  readonly height: number;
  /** Bytes of a row without its filter byte. */
  readonly rowBytes: number;
}

/** Start and step in x and y of the seven passes of Adam7 (PNG, third edition, 8.1). */
const adam7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/** The passes in the order of the file: one for a plain image, the non-empty ones of seven for an interlaced image. */
export function pngPasses({ width, height, depth, channels, interlaced }: PngHeader): PngPass[] {
  const plain = [[0, 0, 1, 1]] as const;
  return (interlaced ? adam7 : plain)
    .map(([x, y, dx, dy]) => {
      const columns = Math.ceil((width - x) / dx);
      const rowBytes = Math.ceil((columns * depth * channels) / 8);
      return { x, y, dx, dy, width: columns, height: Math.ceil((height - y) / dy), rowBytes };
    })
    .filter((pass) => pass.width > 0 && pass.height > 0);
}

/** Bytes of all filtered rows, including their filter bytes. */
export function filteredBytes(header: PngHeader): number {
  return pngPasses(header).reduce((sum, { height, rowBytes }) => sum + height * (1 + rowBytes), 0);
}
