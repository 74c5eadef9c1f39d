import { type FileHandle, open } from 'node:fs/promises';
import { UnimissError } from '../../../protocol/errors.ts';
import { limits } from './limits.ts';

/** The start and the end of a file, without the rest of it. */
export interface Ends {
  readonly head: Buffer;
  /** The last bytes; overlaps `head` in a small file. */
  readonly tail: Buffer;
  /** Size of the file in bytes. */
  readonly size: number;
  /** Time of the last change, ms since 1970. */
  readonly mtimeMs: number;
}

const reasons: Record<string, string> = {
  ENOENT: 'does not exist',
  EACCES: 'may not be read (no permission)',
  EPERM: 'may not be read (no permission)',
  EISDIR: 'is a folder',
  ELOOP: 'is a symbolic link that leads to itself',
  EIO: 'cannot be read (input/output error of the disk)',
};

/** An error of the file system as a broken image that names the file. */
export function readFailure(path: string, error: unknown): UnimissError {
  if (error instanceof UnimissError) return error;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const what = reasons[code] ?? `cannot be read (${error instanceof Error ? error.message : String(error)})`;
  return new UnimissError('data', what, { place: path, cause: error });
}

async function withFile<T>(path: string, use: (file: FileHandle, size: number, mtimeMs: number) => Promise<T>) {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r');
    const stat = await file.stat();
    if (!stat.isFile()) throw new UnimissError('data', 'is no regular file', { place: path });
    return await use(file, stat.size, stat.mtimeMs);
  } catch (error) {
    throw readFailure(path, error);
  } finally {
    await file?.close();
  }
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
  return withFile(path, async (file, size, mtimeMs) => {
    const head = await readAt(file, 0, Math.min(headBytes, size));
    const tail = await readAt(file, Math.max(0, size - tailBytes), Math.min(tailBytes, size));
    return { head, tail, size, mtimeMs };
  });
}

/** Reads a whole file of at most `limits.fileBytes`. Throws UnimissError('data'). */
export function readWhole(path: string): Promise<Buffer> {
  return withFile(path, async (file, size) => {
    if (size > limits.fileBytes) {
      throw new UnimissError('data', `has ${size} bytes, more than the limit of ${limits.fileBytes}`, { place: path });
    }
    const bytes = await readAt(file, 0, size);
    if (bytes.length !== size) throw new UnimissError('data', 'became shorter while it was read', { place: path });
    return bytes;
  });
}
