import { imageDigest } from '../imageDigest.ts';
import type { StoredCase } from './readCase.ts';

/** Digests of the decoded values of a case: of volumes, one a channel; of pictures, the colours together, as pre-training reads them. */
export function caseDigests({ size, grid, channels }: Pick<StoredCase, 'size' | 'grid' | 'channels'>): string[] {
  const [first] = channels;
  if (!first) return [];
  if (grid || size[0] > 1)
    return channels.map((data) => imageDigest({ kind: '3D', shape: size, data, spacing: [1, 1, 1] }));
  const [, height, width] = size;
  const data = Uint8Array.from({ length: 3 * height * width }, (_, i) => {
    const channel = channels.length === 1 ? first : (channels[i % 3] ?? first);
    return channel[Math.floor(i / 3)]!;
  });
  return [imageDigest({ kind: '2D', height, width, data })];
}
