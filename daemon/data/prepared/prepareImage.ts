import { imageError } from '../formats/imageError.ts';
import { limits } from '../formats/limits.ts';
import { normalize } from './normalize.ts';
import type { StoredCase } from './readCase.ts';
import { type Interpolation, resizeImage, resizeLabels } from './resizeMaps.ts';
import type { PrepareSettings } from './settings.ts';
import type { PreparedImage, Size3 } from './types.ts';

/** Spacings whose ratio exceeds this are anisotropic: nnU-Net does not interpolate cubically between such slices. */
const anisotropy = 3;

/** Voxels that rounding in a header may make a difference of: the same image with an oblique affine must not become one voxel shorter. */
const headerError = 1e-4;

/**
 * Brings an image and its labels to the plan's spacing or size, and normalises its values: cubic for images (linear between thick
 * slices), the label with the most weight for labels.
 * @param path for messages
 * @throws UnimissError 'data' where the spacing is unknown, or the result would be too large
 */
export function prepareImage(stored: StoredCase, settings: PrepareSettings, path: string): PreparedImage {
  const size = preparedSize(stored, settings, path);
  const [thick, x, y] = stored.spacing ?? [1, 1, 1];
  const between: Interpolation = thick / Math.min(x, y) > anisotropy ? 'linear' : 'cubic';
  const voxels = size[0] * size[1] * size[2];
  const image = new Float32Array(stored.channels.length * voxels);
  for (const [c, values] of stored.channels.entries()) {
    const resized = resizeImage(values, stored.size, size, [between, 'cubic', 'cubic']);
    normalize(resized, settings.channels[c]!);
    image.set(resized, c * voxels);
  }
  const prepared = { size, channels: stored.channels.length, image };
  const { labels } = stored;
  if (!labels) return prepared;
  const data = new Uint8Array(labels.maps * voxels);
  const each = labels.data.length / labels.maps;
  for (let m = 0; m < labels.maps; m++)
    data.set(resizeLabels(labels.data.subarray(m * each, (m + 1) * each), stored.size, size), m * voxels);
  return { ...prepared, labels: { ...labels, data } };
}

/** Size that an image has once it is prepared. */
export function preparedSize(
  { size, spacing }: Pick<StoredCase, 'size' | 'spacing'>,
  settings: Pick<PrepareSettings, 'spacing' | 'size'>,
  path: string,
): Size3 {
  if (settings.size) return settings.size;
  const wanted = settings.spacing;
  if (!wanted) return size;
  if (!spacing)
    throw imageError(path, 'has no usable spacing in its header, but the plan resamples to a spacing', {
      remedy: 'Correct its header, or set plan.spacing to null.',
    });
  const length = (axis: 0 | 1 | 2) =>
    Math.max(1, Math.round((size[axis] * spacing[axis]) / wanted[axis] + headerError));
  const result: Size3 = [length(0), length(1), length(2)];
  if (result[0] * result[1] * result[2] > limits.voxels)
    throw imageError(path, `would have ${result.join('×')} voxels after resampling`, {
      remedy: 'Check the spacing in its header, or choose a larger plan.spacing.',
    });
  return result;
}
