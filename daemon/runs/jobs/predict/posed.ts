import { prepareImage } from '../../../data/prepared/prepareImage.ts';
import type { StoredCase } from '../../../data/prepared/readCase.ts';
import type { PrepareSettings } from '../../../data/prepared/settings.ts';
import { straighten, straightUpTo, tiltOf } from '../../../data/prepared/straighten.ts';
import type { PreparedImage, Size3 } from '../../../data/prepared/types.ts';
import type { NetworkPlan } from '../../folder/networkPlan.ts';

/** An image as a network sees it, and the way of its labels back. */
export interface PosedImage {
  readonly prepared: PreparedImage;
  /** Size of the labels that the network gives: that of the image, or of its copy along the patient's axes. */
  readonly size: Size3;
  /** Brings a map of this size into the image's own grid; the map itself where it lies there. */
  back(map: Uint8Array | Uint16Array): Uint8Array | Uint16Array;
  /** Whether the network sees a copy along the patient's axes. */
  readonly turned: boolean;
  /** A clause whose subject is the image, where it was turned. */
  readonly notice?: string;
}

/**
 * Prepares an image for a network. One that lies aslant is turned into the patient's axes if all images of the training lay along them.
 * @param path for messages
 * @throws UnimissError 'data' as `prepareImage`
 */
export function posed(
  stored: StoredCase,
  { tilt: trained, patch, spacing }: Pick<NetworkPlan, 'tilt' | 'patch' | 'spacing'>,
  settings: PrepareSettings,
  path: string,
): PosedImage {
  const { grid } = stored;
  const tilt = grid ? tiltOf(grid) : 0;
  if (!grid || trained === undefined || trained > straightUpTo || tilt <= straightUpTo)
    return { prepared: prepareImage(stored, settings, path), size: stored.size, back: (map) => map, turned: false };
  const [depth, height, width = 0] = patch;
  const window = spacing && ([depth * spacing[0], height * spacing[1], width * spacing[2]] as const);
  const { stored: straight, back } = straighten(stored, grid, path, window ?? undefined);
  return {
    ...{ prepared: prepareImage(straight, settings, path), size: straight.size, back, turned: true },
    notice: `is oblique (${tilt.toFixed(0)}°), so the network saw it turned into the patient's axes, as it was trained; the labels are in the image's own grid`,
  };
}
