import { createHash } from 'node:crypto';
import { stat, utimes } from 'node:fs/promises';
import { endianness } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { removePartial, writeAtomically } from '../daemon/files/atomic.ts';
import { makeFolder } from '../daemon/files/folder.ts';
import { foreignFolder, readOwnFile } from '../daemon/files/ownFolder.ts';
import { pruneFolder } from '../daemon/files/pruneFolder.ts';
import { bytesOf, coarseSize } from './coarseCopy.ts';
import { arrayTypes, type CoarseCopy, type VoxelStore } from './voxelStore.ts';

/** Bytes that all copies may take together; those that were used least recently go first. */
const mostBytes = 2 ** 30;
const ending = '.coarse';
const endingName = /\.coarse$/;
const most = 4096;
const number = z.number();
const headSchema = z.object({
  format: z.literal(1),
  factor: z.number().int().min(2).max(1024),
  range: z.object({ low: number, high: number, ct: z.boolean() }),
});

/**
 * Coarse copies of large images that took long to read, in a folder of the user's alone (0700): they show patients. A copy is found by path,
 * size and time of its image. Nothing is kept in a folder that others could write to or own, nor read from it: a cache may be shared, and another
 * user's picture would stand for this one. What cannot be read or written costs only time, so it is no error.
 */
export class CoarseCache {
  constructor(
    private readonly folder: string,
    private readonly limit = mostBytes,
  ) {}

  /** @param volume of a file with several */
  async find(path: string, volume: number, { size, voxels }: VoxelStore): Promise<CoarseCopy | undefined> {
    const file = await this.fileOf(path, volume);
    try {
      if ((await foreignFolder(this.folder)) !== undefined) return undefined;
      const bytes = await readOwnFile(file);
      if (!bytes) return undefined;
      const [length, body] = [bytes.readUInt32LE(0), bytes.subarray(4)];
      const head = headSchema.parse(JSON.parse(body.subarray(0, Math.min(length, most)).toString('utf8')));
      const own = coarseSize(size, head.factor);
      const wanted = bytesOf(own, voxels.BYTES_PER_ELEMENT);
      const data = body.subarray(length);
      if (data.length !== wanted) return undefined;
      const now = new Date();
      await utimes(file, now, now);
      const buffer = new ArrayBuffer(wanted);
      new Uint8Array(buffer).set(data);
      const { factor, range } = head;
      return { factor, size: own, range, voxels: sameType(voxels, buffer) };
    } catch {
      return undefined; // damaged, or of another version: it is written anew when the image has been read
    }
  }

  /** Keeps a copy. @returns whether it is there */
  async keep(path: string, volume: number, { factor, range, voxels }: CoarseCopy): Promise<boolean> {
    try {
      await makeFolder(this.folder, { mode: 0o700 });
      if ((await foreignFolder(this.folder)) !== undefined) return false;
      const head = Buffer.from(JSON.stringify({ format: 1, factor, range }));
      const length = Buffer.alloc(4);
      length.writeUInt32LE(head.length);
      const data = new Uint8Array(voxels.buffer, voxels.byteOffset, voxels.byteLength);
      await writeAtomically(
        await this.fileOf(path, volume),
        async (handle) => {
          for (const part of [length, head, data]) await handle.writeFile(part);
        },
        { mode: 0o600 },
      );
      await removePartial(this.folder, { ofDead: true });
      await pruneFolder(this.folder, { names: endingName, maxBytes: this.limit });
      return true;
    } catch {
      return false; // a full disk or a folder that cannot be written: next time the image is read as it was this time
    }
  }

  private async fileOf(path: string, volume: number): Promise<string> {
    const { size, mtimeMs } = await stat(path);
    const key = createHash('sha256')
      .update(JSON.stringify([path, size, mtimeMs, volume, endianness()]))
      .digest('hex');
    return join(this.folder, `${key.slice(0, 40)}${ending}`);
  }
}

function sameType(voxels: VoxelStore['voxels'], buffer: ArrayBuffer): VoxelStore['voxels'] {
  const Type = Object.values(arrayTypes).find((type) => voxels instanceof type) ?? Uint8Array;
  return new Type(buffer);
}
