import { gzipSync } from 'node:zlib';
import { encode } from 'fast-png';
import type { Modality } from '../../../protocol/modality.ts';
import { encodeNifti } from '../formats/niftiWriter.ts';
import { type Condition, drawPatient } from './anatomy.ts';
import { phantomProjection } from './projection.ts';
import { phantomVolume } from './volume.ts';

/** Sizes of phantoms, voxels and pixels. */
export interface PhantomSize {
  readonly slices: number;
  readonly plane: number;
  readonly image: number;
}

/** One phantom: all that its files depend on. */
export interface PhantomTask {
  readonly seed: number;
  readonly modality: Modality;
  /** Its number among those of its modality, from 0. */
  readonly number: number;
  readonly condition: Condition;
  readonly size: PhantomSize;
}

/** The bytes of a phantom's files: `.nii.gz` each for a volume, `.png` each for an image. */
export interface PhantomFiles {
  readonly image: Uint8Array;
  readonly labels: Uint8Array;
}

/** Draws a phantom. The same task gives the same bytes, in whatever thread. */
export function drawPhantom({ seed, modality, number, condition, size }: PhantomTask): PhantomFiles {
  const key = [seed, modality, number] as const;
  const patient = drawPatient(condition, ...key);
  if (modality === '3D') {
    const { volume, segmentation } = phantomVolume(patient, size.slices, size.plane, ...key);
    const file = (data: typeof volume.data | Uint8Array) => gzipSync(encodeNifti({ ...volume, data }), { level: 1 });
    return { image: file(volume.data), labels: file(segmentation) };
  }
  const { image, segmentation } = phantomProjection(patient, size.image, ...key);
  const png = (data: Uint8Array) =>
    encode({ width: size.image, height: size.image, data, depth: 8, channels: 1 }, { zlib: { level: 3 } });
  // Its three channels are equal.
  return { image: png(image.data.filter((_, i) => i % 3 === 0)), labels: png(segmentation) };
}
