import { createHash } from 'node:crypto';
import { writeAtomically } from '../files/atomic.ts';
import { writeFully } from '../files/fully.ts';
import { encodeHeader, place, type TensorInfo } from './safetensorsHeader.ts';

/** A tensor to write. The writer reads its values when their turn comes, and releases them before the next. */
export interface TensorSource extends TensorInfo {
  /** The values in C order, little-endian as typed arrays are; their bytes must fit type and shape. */
  read(): ArrayBufferView | Promise<ArrayBufferView>;
}

/** Key of the checksum in the metadata, and its placeholder while it is computed. */
export const checksumKey = 'sha256';
export const emptyChecksum = '0'.repeat(64);

/** Bytes to hash and write at once: few enough that the event loop stays free. */
export const chunkBytes = 1 << 20;

/**
 * Writes tensors to a safetensors file, whole or not at all. One tensor at a time is in memory. The metadata get the key
 * `sha256`: the checksum of header (with 64 zeros in its place) and data, which reveals damage (`verify` of the reader). Throws
 * UnimissError 'disk'; RangeError if a tensor does not have the bytes of its shape.
 */
export async function writeSafetensors(
  file: string,
  sources: readonly TensorSource[],
  metadata: Readonly<Record<string, string>>,
): Promise<{ bytes: number; sha256: string }> {
  const tensors = place(sources);
  const header = encodeHeader({ metadata: { ...metadata, [checksumKey]: emptyChecksum }, tensors });
  const checksumAt = header.indexOf(`"${checksumKey}":"${emptyChecksum}"`) + checksumKey.length + 4;
  let sha256 = '';
  let bytes = 0;
  await writeAtomically(file, async (handle) => {
    const hash = createHash('sha256');
    const append = async (chunk: Uint8Array): Promise<void> => {
      hash.update(chunk);
      await writeFully(handle, chunk, bytes);
      bytes += chunk.byteLength;
    };
    await append(header);
    for (const [i, source] of sources.entries()) {
      const values = await source.read();
      const { name, begin, end } = tensors[i]!;
      if (values.byteLength !== end - begin)
        throw new RangeError(
          `"${name}" [${source.shape.join(', ')}] has ${values.byteLength} bytes, not ${end - begin}`,
        );
      const data = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      for (let at = 0; at < data.length; at += chunkBytes) await append(data.subarray(at, at + chunkBytes));
    }
    sha256 = hash.digest('hex');
    await writeFully(handle, Buffer.from(sha256), checksumAt);
  });
  return { bytes, sha256 };
}
