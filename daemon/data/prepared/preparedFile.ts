import { type FileHandle, open } from 'node:fs/promises';
import { z } from 'zod';
import { UnimissError } from '../../../protocol/errors.ts';
import { jsonOf } from '../../../protocol/json.ts';
import { writeAtomically } from '../../files/atomic.ts';
import { readInto, writeFully } from '../../files/fully.ts';
import type { ClassPositions } from './positions.ts';
import type { PreparedImage, Size3 } from './types.ts';

/**
 * A prepared image on disk, of which slices can be read alone: a line of JSON, then the image (float32), labels (one byte) and places
 * of classes (int32), little-endian.
 */

const magic = 'unimiss-prepared';
const count = z.int().min(0);
const headerSchema = z.object({
  magic: z.literal(magic),
  size: z.tuple([count.min(1), count.min(1), count.min(1)]),
  channels: count.min(1),
  labels: z.object({ overlapping: z.boolean(), maps: count.min(1) }).nullable(),
  /** Of the decoded values of the image: see `caseDigests`. */
  digests: z.array(z.string()),
  /** How far the image lies off the patient's axes, degrees; 0 for pictures. */
  tilt: z.number().min(0).max(90),
  /** [class, voxels] */
  voxels: z.array(z.tuple([count, count])),
  /** Places that are kept of each of these classes. */
  places: z.array(count),
});
export type PreparedHeader = z.infer<typeof headerSchema>;

/** Bytes in which the line of the header ends. */
const headerBytes = 1 << 16;
const newline = 10;

/** @param more `digests` of the image as it was decoded; its `tilt` */
export async function writePrepared(
  file: string,
  image: PreparedImage,
  {
    positions,
    digests,
    tilt,
  }: { readonly positions: ClassPositions; readonly digests: readonly string[]; readonly tilt: number },
): Promise<void> {
  const { size, channels, labels } = image;
  const header: PreparedHeader = {
    magic,
    size: [...size],
    channels,
    labels: labels ? { overlapping: labels.overlapping, maps: labels.maps } : null,
    digests: [...digests],
    tilt,
    voxels: [...positions].map(([label, { voxels }]) => [label, voxels]),
    places: [...positions.values()].map(({ places }) => places.length),
  };
  await writeAtomically(
    file,
    async (handle) => {
      await writeFully(handle, Buffer.from(`${JSON.stringify(header)}\n`), null);
      for (const part of [image.image, labels?.data, ...[...positions.values()].map(({ places }) => places)])
        if (part && part.byteLength > 0)
          await writeFully(handle, new Uint8Array(part.buffer, part.byteOffset, part.byteLength), null);
    },
    { mode: 0o600 },
  );
}

/** Slices of a prepared image: `image.size[0]` of them, the first being number `first` of the whole. */
export interface Slab {
  readonly first: number;
  readonly image: PreparedImage;
}

export class PreparedFile {
  private constructor(
    readonly path: string,
    private readonly handle: FileHandle,
    readonly header: PreparedHeader,
    private readonly begins: number,
  ) {}

  /** @throws UnimissError 'data' where it is damaged; the system's error where it cannot be opened */
  static async open(path: string): Promise<PreparedFile> {
    const handle = await open(path, 'r');
    try {
      const start = Buffer.alloc(headerBytes);
      const { bytesRead } = await handle.read(start, 0, headerBytes, 0);
      const end = start.subarray(0, bytesRead).indexOf(newline);
      const header = headerSchema.safeParse(end < 0 ? null : jsonOf(start.toString('utf8', 0, end)));
      const damaged = () => new UnimissError('data', 'is damaged', { place: path });
      if (!header.success) throw damaged();
      const opened = new PreparedFile(path, handle, header.data, end + 1);
      if ((await handle.stat()).size !== opened.end) throw damaged();
      return opened;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  private get voxels(): number {
    return this.header.size[0] * this.header.size[1] * this.header.size[2];
  }
  private get labelsAt(): number {
    return this.begins + 4 * this.header.channels * this.voxels;
  }
  private get positionsAt(): number {
    return this.labelsAt + (this.header.labels?.maps ?? 0) * this.voxels;
  }
  private get end(): number {
    return this.positionsAt + 4 * this.header.places.reduce((sum, length) => sum + length, 0);
  }

  /** Places of each class. */
  async positions(): Promise<Map<number, Int32Array>> {
    const places = new Map<number, Int32Array>();
    let at = this.positionsAt;
    for (const [i, [label]] of this.header.voxels.entries()) {
      const values = new Int32Array(this.header.places[i] ?? 0);
      await this.read(values, at);
      places.set(label, values);
      at += values.byteLength;
    }
    return places;
  }

  /** Slices `from` … `to` − 1, as far as there are; at least one. */
  async slab(from = 0, to = this.header.size[0]): Promise<Slab> {
    const { size, channels, labels } = this.header;
    const [depth, height, width] = size;
    const first = Math.min(Math.max(from, 0), depth - 1);
    const slices = Math.max(1, Math.min(to, depth) - first);
    const part: Size3 = [slices, height, width];
    const plane = height * width;
    const image = new Float32Array(channels * slices * plane);
    for (let c = 0; c < channels; c++)
      await this.read(
        image.subarray(c * slices * plane, (c + 1) * slices * plane),
        this.begins + 4 * (c * depth + first) * plane,
      );
    if (!labels) return { first, image: { size: part, channels, image } };
    const data = new Uint8Array(labels.maps * slices * plane);
    for (let m = 0; m < labels.maps; m++)
      await this.read(
        data.subarray(m * slices * plane, (m + 1) * slices * plane),
        this.labelsAt + (m * depth + first) * plane,
      );
    return { first, image: { size: part, channels, image, labels: { ...labels, data } } };
  }

  close(): Promise<void> {
    return this.handle.close();
  }

  private async read(values: Float32Array | Uint8Array | Int32Array, position: number): Promise<void> {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    await readInto(this.handle, bytes, position).catch((error: unknown) => {
      throw error instanceof RangeError ? new UnimissError('data', 'became shorter while it was read') : error;
    });
  }
}
