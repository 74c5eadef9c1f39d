import type { Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

export interface Piece {
  /** Bytes of the whole file. */
  size: number;
  bytes: Buffer;
}

/** A file, open for reading; undefined where it is not there yet. */
export async function openIfThere(path: string): Promise<FileHandle | undefined> {
  return open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}

/** Which file it is: another one under the same name differs. Letters, digits and `-`. */
export function identityOf({ dev, ino, birthtimeMs }: Stats): string {
  return `${dev}-${ino}-${Math.round(birthtimeMs)}`;
}

/** At most `most` bytes of a file from an offset on; nothing where it is not there yet. */
export async function readFrom(path: string, offset: number, most: number): Promise<Piece> {
  const handle = await openIfThere(path);
  if (!handle) return { size: 0, bytes: Buffer.alloc(0) };
  try {
    const { size } = await handle.stat();
    const bytes = Buffer.alloc(Math.max(0, Math.min(most, size - offset)));
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, offset);
    return { size, bytes: bytes.subarray(0, bytesRead) };
  } finally {
    await handle.close();
  }
}
