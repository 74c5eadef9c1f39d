import { createHmac } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { z } from 'zod';
import { jsonOf } from '../../../protocol/json.ts';
import { diskError } from '../../files/atomic.ts';
import { readLines } from './lines.ts';

/**
 * images.jsonl: a hash of the decoded values of each image that a run has read. A later check can tell whether a test image was
 * in the pre-training. The user's secret keys the hashes (folder/privacy.ts), so only the user can find out their images.
 *
 *     {"format":1,"key":"…","complete":true}
 *     {"image":"ct/0001.nii.gz","hash":"…"}
 */
const headSchema = z.object({
  format: z.literal(1),
  /** Identifies the secret that keys the hashes. */
  key: z.string(),
  /** False if the run had done steps before the file began. */
  complete: z.boolean(),
});
type Head = z.infer<typeof headSchema>;
const lineSchema = z.object({ image: z.string(), hash: z.string() });

/** The keyed hash of an image. @param digest its `imageDigest` */
export function imageHash(key: Uint8Array, digest: string): string {
  return createHmac('sha256', key).update(digest).digest('hex').slice(0, 32);
}

function keyMark(key: Uint8Array): string {
  return createHmac('sha256', key).update('images.jsonl').digest('hex').slice(0, 16);
}

/** The file of a run in training. Writes each image once. Only the holder of the run's lock may open it. */
export class ImageHashes {
  private constructor(
    private readonly file: string,
    private readonly descriptor: number,
    private readonly key: Uint8Array,
    private readonly names: Set<string>,
  ) {}

  /**
   * Opens or begins the file. Ignores a line that a kill or a power cut tore.
   * @param complete whether the run has done no step yet
   * @returns undefined if another user's secret keys the file: nothing is added to it
   * @throws UnimissError 'disk'
   */
  static async open(file: string, key: Uint8Array, complete: boolean): Promise<ImageHashes | undefined> {
    const before = await readImageFile(file);
    if (before && before.head.key !== keyMark(key)) return undefined;
    try {
      const hashes = new ImageHashes(file, openSync(file, 'a+'), key, new Set(before?.byHash.values()));
      if (isTorn(hashes.descriptor)) writeSync(hashes.descriptor, '\n');
      if (!before) hashes.write({ format: 1, key: keyMark(key), complete } satisfies Head);
      return hashes;
    } catch (error) {
      throw diskError(error, file);
    }
  }

  has(image: string): boolean {
    return this.names.has(image);
  }

  /** @param digest its `imageDigest` */
  add(image: string, digest: string): void {
    if (this.names.has(image)) return;
    this.names.add(image);
    this.write({ image, hash: imageHash(this.key, digest) });
  }

  close(): void {
    closeSync(this.descriptor);
  }

  private write(line: object): void {
    try {
      writeSync(this.descriptor, `${JSON.stringify(line)}\n`);
    } catch (error) {
      throw diskError(error, this.file);
    }
  }
}

interface ImageFile {
  readonly head: Head;
  /** Names of images by their hashes. */
  readonly byHash: ReadonlyMap<string, string>;
}

/** Undefined if the file does not exist, or has no complete head. Ignores lines that are neither head nor image. */
async function readImageFile(file: string): Promise<ImageFile | undefined> {
  let head: Head | undefined;
  const byHash = new Map<string, string>();
  for await (const { text } of readLines(file)) {
    const value = jsonOf(text);
    head ??= headSchema.safeParse(value).data;
    const line = lineSchema.safeParse(value).data;
    if (line) byHash.set(line.hash, line.image);
  }
  return head && { head, byHash };
}

/** Whether the file's last line is incomplete. */
function isTorn(descriptor: number): boolean {
  const { size } = fstatSync(descriptor);
  const last = Buffer.alloc(1);
  return size > 0 && readSync(descriptor, last, 0, 1, size - 1) === 1 && last[0] !== 10;
}

/** The images that a run was trained on, as far as it recorded them. */
export class TrainedImages {
  private constructor(
    private readonly key: Uint8Array,
    private readonly file: ImageFile,
  ) {}

  /** @returns 'unknown' for a run without usable hashes: one of version 0.1.0, or keyed with another user's secret */
  static async read(file: string, key: Uint8Array): Promise<TrainedImages | 'unknown'> {
    const read = await readImageFile(file);
    return read && read.head.key === keyMark(key) ? new TrainedImages(key, read) : 'unknown';
  }

  /**
   * The run's name for the image with these values. Undefined: the run has not read it; 'unknown': part of the run was trained
   * before images were recorded.
   * @param digest `imageDigest`
   */
  find(digest: string): { image: string } | undefined | 'unknown' {
    const image = this.file.byHash.get(imageHash(this.key, digest));
    if (image !== undefined) return { image };
    return this.file.head.complete ? undefined : 'unknown';
  }
}
