import type { TrainedImages } from './imageHashes.ts';

/** An image that a model is tested on. */
export interface TestedImage {
  readonly id: string;
  /** `imageDigest` of its decoded values, of each channel that lies in a file of its own. */
  readonly digests: readonly string[];
}

/**
 * Whether a pre-training has seen images that its network is tested on. `seen`: at least one. `none`: certainly none. `unknown`: none was
 * found, but the run does not tell of all its images.
 */
export interface Leakage {
  readonly status: 'seen' | 'none' | 'unknown';
  /** Tested images that the pre-training has read, with their names there. */
  readonly seen: readonly { readonly id: string; readonly image: string }[];
  /** Number of images that were looked for. */
  readonly tested: number;
}

/**
 * Looks for tested images among those that a run was trained on, by the hash of their decoded voxels: another format or name does
 * not hide one, another spacing or cut does.
 * @param trained what `TrainedImages.read` gave; 'unknown' where the run has no hashes, or those of another user
 */
export function findLeakage(tested: readonly TestedImage[], trained: TrainedImages | 'unknown'): Leakage {
  const count = tested.length;
  if (trained === 'unknown') return { status: 'unknown', seen: [], tested: count };
  const seen: { id: string; image: string }[] = [];
  let open = false;
  for (const { id, digests } of tested) {
    const found = digests.map((digest) => trained.find(digest));
    const hit = found.find((one) => typeof one === 'object');
    if (hit) seen.push({ id, image: hit.image });
    // Without a digest nothing was looked for.
    else if (found.length === 0 || found.includes('unknown')) open = true;
  }
  return { status: seen.length > 0 ? 'seen' : open ? 'unknown' : 'none', seen, tested: count };
}

/** The outcome as a sentence for a report. */
export function leakageText({ status, seen, tested }: Leakage): string {
  const images = `${tested} test image${tested === 1 ? '' : 's'}`;
  if (status === 'none') return `The pre-training has seen none of the ${images}.`;
  if (status === 'unknown')
    return `It is unknown whether the pre-training has seen any of the ${images}: its run does not record all images it read.`;
  return `The pre-training has seen ${seen.length} of the ${images}. Their results may be too good: ${seen.map(({ id }) => id).join(', ')}.`;
}
