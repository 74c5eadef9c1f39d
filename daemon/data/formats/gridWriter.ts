import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { UnimissError } from '../../../protocol/errors.ts';
import { writeAtomically } from '../../files/atomic.ts';
import { encodeCaretLabels } from './niftiExtension.ts';
import { gridHeader } from './niftiGridHeader.ts';
import { headerBytes } from './niftiHeader.ts';
import { placesOf } from './orientation.ts';
import type { LabelNames, StoredGrid } from './storedVolume.ts';
import { walkOf } from './storedVolume.ts';

/** An array to write into the grid of another file. */
export interface GridToWrite {
  /** C order [slices, x, y] in the axes of `arrayAxes`, as `readVolume` gave the image of this grid. */
  readonly data: Uint8Array | Int16Array | Uint16Array | Float32Array;
  readonly grid: StoredGrid;
  /** Names of labels, for a header extension (Caret's XML); without: none is written. */
  readonly labelNames?: LabelNames | undefined;
  /** What readers multiply the numbers by; default 1. */
  readonly slope?: number;
}

/** Bytes of voxels that are gathered before they are compressed and written. */
const blockBytes = 2 ** 20;

/**
 * Writes an array as NIfTI in the grid of the image that it was made from, atomically; `.nii`, or `.nii.gz` where the name ends so.
 * Voxel (i, j, k) of the new file lies where that of the image lies. For a NIfTI image its sform, qform, codes, units, spacings and dimensions
 * are kept to the bit, and so are version and byte order; other formats get sform and qform in scanner coordinates.
 * The file is made slice by slice: it takes no memory beyond the array.
 * @param mode permissions of the new file
 * @throws UnimissError('disk') where it cannot be written
 */
export async function writeInGrid(path: string, image: GridToWrite, mode = 0o644): Promise<void> {
  await writeAtomically(
    path,
    async (handle) => {
      const blocks = Readable.from(encodeInGrid(image), { objectMode: false });
      // Each call goes on where the one before has ended.
      const write = async (pieces: AsyncIterable<Buffer>) => {
        for await (const piece of pieces) await handle.writeFile(piece);
      };
      if (path.endsWith('.gz')) await pipeline(blocks, createGzip({ level: 1 }), write);
      else await pipeline(blocks, write);
    },
    { mode },
  );
}

/** The bytes of such a file, uncompressed, piece by piece. */
export function* encodeInGrid({ data, grid, labelNames, slope }: GridToWrite): Generator<Buffer> {
  const [columns, rows, slices] = grid.size;
  if (data.length !== columns * rows * slices)
    throw new UnimissError('internal', `an array of ${data.length} voxels for a grid of ${grid.size.join('×')}`);
  const { header, littleEndian, version } = gridHeader(grid, data, slope);
  const extension = labelNames && labelNames.size > 0 ? encodeCaretLabels(labelNames, littleEndian) : Buffer.alloc(0);
  const offset = headerBytes[version] + 4 + extension.length;
  const mark = Buffer.from([extension.length > 0 ? 1 : 0, 0, 0, 0]);
  yield Buffer.concat([header(offset), mark, extension]);

  const width = data.BYTES_PER_ELEMENT;
  for (const { buffer, byteOffset, byteLength } of storedBlocks(data, grid)) {
    const block = Buffer.from(buffer, byteOffset, byteLength);
    if (littleEndian || width === 1) yield block;
    else yield width === 2 ? block.swap16() : block.swap32();
  }
}

/** The array's values in the order of the grid, i fastest, some rows at a time. */
export function* storedBlocks(data: GridToWrite['data'], grid: StoredGrid): Generator<GridToWrite['data']> {
  const [columns, rows, slices] = grid.size;
  const { start, steps } = placesOf(walkOf(grid));
  const rowsAtOnce = Math.max(1, Math.min(rows, Math.floor(blockBytes / (columns * data.BYTES_PER_ELEMENT))));
  for (let k = 0; k < slices; k++) {
    for (let j0 = 0; j0 < rows; j0 += rowsAtOnce) {
      const count = Math.min(rowsAtOnce, rows - j0);
      const values = emptyLike(data, count * columns);
      let o = 0;
      for (let j = j0; j < j0 + count; j++) {
        let p = start + k * steps[2] + j * steps[1];
        for (let i = 0; i < columns; i++, p += steps[0]) values[o++] = data[p]!;
      }
      yield values;
    }
  }
}

function emptyLike(data: GridToWrite['data'], length: number): GridToWrite['data'] {
  if (data instanceof Uint8Array) return new Uint8Array(length);
  if (data instanceof Int16Array) return new Int16Array(length);
  if (data instanceof Uint16Array) return new Uint16Array(length);
  return new Float32Array(length);
}
