import { constants, type Stats } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { messageOf, UnimissError } from '../../../protocol/errors.ts';
import { imageError } from './imageError.ts';

/** The start and the end of a file. */
export interface Ends {
  readonly head: Buffer;
  /** The last bytes; overlaps `head` in a small file. */
  readonly tail: Buffer;
  /** Size of the file in bytes. */
  readonly size: number;
}

const reasons: Record<string, string> = {
  ENOENT: 'does not exist',
  EACCES: 'cannot be read (no permission)',
  EPERM: 'cannot be read (no permission)',
  EISDIR: 'is a folder',
  ELOOP: 'is a symbolic link that leads to itself',
  EIO: 'cannot be read (input/output error of the disk)',
};

/**
 * An error of the file system as one that names the file.
 * @param images the names of images (or folders of images) in its text
 */
export function readFailure(path: string, error: unknown, images: readonly string[] = [path]): UnimissError {
  if (error instanceof UnimissError) return error;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const what = reasons[code] ?? `cannot be read (${code || messageOf(error)})`;
  return new UnimissError('data', what, { place: path, images, cause: error });
}

async function withFile<T>(path: string, use: (file: FileHandle, size: number) => Promise<T>) {
  let file: FileHandle | undefined;
  try {
    // Opening a device can change it, and opening a named pipe waits for a writer: so look first, and never wait.
    requireRegular(path, await stat(path));
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const info = await file.stat();
    requireRegular(path, info);
    return await use(file, info.size);
  } catch (error) {
    throw readFailure(path, error);
  } finally {
    await file?.close();
  }
}

function requireRegular(path: string, info: Stats): void {
  if (info.isDirectory()) throw imageError(path, 'is a folder');
  if (info.isFIFO()) throw imageError(path, 'is a named pipe, not a file');
  if (!info.isFile()) throw imageError(path, 'is not a regular file');
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, length - done, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}

/** Reads at most `headBytes` from the start and `tailBytes` from the end of a file. Throws UnimissError('data'). */
export function readEnds(path: string, headBytes: number, tailBytes: number): Promise<Ends> {
  return withFile(path, async (file, size) => {
    const head = await readAt(file, 0, Math.min(headBytes, size));
    const tail = await readAt(file, Math.max(0, size - tailBytes), Math.min(tailBytes, size));
    return { head, tail, size };
  });
}

/** Reads a whole file of at most `maxBytes`. Throws UnimissError('data'). */
export function readWhole(path: string, maxBytes: number): Promise<Buffer> {
  return withFile(path, async (file, size) => {
    if (size > maxBytes) throw imageError(path, `has ${size} bytes, more than the limit of ${maxBytes}`);
    const bytes = await readAt(file, 0, size);
    if (bytes.length !== size) throw imageError(path, 'became shorter while it was being read');
    return bytes;
  });
}
