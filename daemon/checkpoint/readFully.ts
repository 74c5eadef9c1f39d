import type { FileHandle } from 'node:fs/promises';

/** Largest read at once: the system takes no more than 2 GiB. */
const largestRead = 1 << 30;

/** Fills `bytes` from a position of a file. @throws RangeError where the file ends before */
export async function readInto(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await handle.read(bytes, done, Math.min(largestRead, bytes.length - done), position + done);
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
