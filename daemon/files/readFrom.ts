import { open } from 'node:fs/promises';

export interface Piece {
  /** Bytes of the whole file. */
  size: number;
  /** Which file it is: another one under the same name differs. */
  file: string;
  bytes: Buffer;
}

/** At most `most` bytes of a file from an offset on; nothing where it is not there yet. */
export async function readFrom(path: string, offset: number, most: number): Promise<Piece> {
  const handle = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!handle) return { size: 0, file: 'none', bytes: Buffer.alloc(0) };
  try {
    const { size, dev, ino, birthtimeMs } = await handle.stat();
    const bytes = Buffer.alloc(Math.max(0, Math.min(most, size - offset)));
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, offset);
    return { size, file: `${dev}-${ino}-${Math.round(birthtimeMs)}`, bytes: bytes.subarray(0, bytesRead) };
  } finally {
    await handle.close();
  }
}
