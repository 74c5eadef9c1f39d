import type { FileHandle } from 'node:fs/promises';

/** Most bytes at once: the system takes no more than 2 GiB. */
const largestPiece = 1 << 30;

/** Fills `bytes` from a position of a file. @throws RangeError where the file ends before */
export async function readInto(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await handle.read(bytes, done, Math.min(largestPiece, bytes.length - done), position + done);
    if (bytesRead === 0) throw new RangeError(`it ends at byte ${position + done}`);
    done += bytesRead;
  }
}

/** @throws RangeError where the file ends before */
export async function readExactly(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  await readInto(handle, bytes, position);
  return bytes;
}

/**
 * Writes all bytes. The system may take a part: a disk that is nearly full does, and refuses the rest when it is asked again.
 * @param position null: where the file stands
 * @throws the system's refusal
 */
export async function writeFully(handle: FileHandle, bytes: Uint8Array, position: number | null): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const length = Math.min(largestPiece, bytes.length - done);
    done += (await handle.write(bytes, done, length, position === null ? null : position + done)).bytesWritten;
  }
}
