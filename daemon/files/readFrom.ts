import type { Stats } from 'node:fs';
import { openRunFile } from './runFile.ts';

export interface Piece {
  /** Bytes of the whole file. */
  size: number;
  bytes: Buffer;
}

/** Identifies the file: another file under the same name differs. Letters, digits and `-`. */
export function identityOf({ dev, ino, birthtimeMs }: Stats): string {
  return `${dev}-${ino}-${Math.round(birthtimeMs)}`;
}

/** At most `most` bytes of a file of a run folder from an offset on; undefined if it does not exist yet. */
export async function readFrom(path: string, offset: number, most: number): Promise<Piece> {
  const handle = await openRunFile(path);
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
