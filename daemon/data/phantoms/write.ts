import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encode } from 'fast-png';
import { UnimissError } from '../../../protocol/errors.ts';
import { writeTextAtomically } from '../../files/atomic.ts';
import { makeFolder } from '../../files/folder.ts';
import { compressNifti } from '../formats/niftiWriter.ts';
import type { Image2D } from '../types.ts';
import { type Condition, conditions, drawPatient } from './anatomy.ts';
import { phantomProjection } from './projection.ts';
import { phantomVolume } from './volume.ts';

/** Raise it whenever the same seed produces different images, so that old ones are not reused. */
export const phantomDrawing = 2;

export interface PhantomOptions {
  readonly seed: number;
  /** Numbers of volumes and 2D images; the four conditions alternate. */
  readonly volumes: number;
  readonly images: number;
  readonly size?: {
    /** Slices of a volume; default 24. */
    readonly slices?: number;
    /** In-plane height and width of a volume in voxels; default 176, exactly what views of 16×64×64 need without padding. */
    readonly plane?: number;
    /** Height and width of a 2D image in pixels; default 192. */
    readonly image?: number;
  };
  readonly onProgress?: (done: number, total: number) => void;
}

export interface WrittenPhantoms {
  /** `manifest.csv`: path, label, segmentation (a label map for volumes, see `tissues` in volume.ts). */
  readonly manifest: string;
  readonly conditions: readonly Condition[];
}

/** Number of files being compressed and written while the next ones are drawn. */
const inFlight = 4;

/**
 * Writes phantoms into a folder: `volumes/*.nii.gz` (HU, 3×1×1 mm), `segmentations/*.nii.gz` (uint8), `images/*.png` (8-bit grey)
 * and, last, `manifest.csv`. The same seed produces the same images. For training, use the manifest, since the folder also
 * contains the segmentations.
 */
export async function writePhantoms(dir: string, options: PhantomOptions): Promise<WrittenPhantoms> {
  const { seed, volumes, images, onProgress } = options;
  const { slices = 24, plane = 176, image = 192 } = options.size ?? {};
  if (![volumes, images].every((n) => Number.isInteger(n) && n >= 0) || Math.min(slices, plane, image) < 8) {
    throw new UnimissError(
      'config',
      `cannot make ${volumes} volumes and ${images} images of ${slices}×${plane}×${plane} and ${image}×${image}`,
    );
  }
  for (const folder of ['volumes', 'segmentations', 'images']) await makeFolder(join(dir, folder));
  const lines = ['path,label,segmentation'];
  const pending = new Set<Promise<void>>();
  let done = 0;
  const write = async (job: () => Promise<void>) => {
    const running = job().then(() => {
      pending.delete(running);
      onProgress?.(++done, volumes + images);
    });
    pending.add(running);
    if (pending.size >= inFlight) await Promise.race(pending);
  };
  for (let n = 0; n < volumes; n++) {
    const condition = conditions[n % conditions.length]!;
    const key = [seed, '3D', n] as const;
    const { volume, segmentation } = phantomVolume(drawPatient(condition, ...key), slices, plane, ...key);
    const name = `${String(n + 1).padStart(4, '0')}.nii.gz`;
    lines.push(`volumes/${name},${condition},segmentations/${name}`);
    await write(async () => {
      await writeFile(join(dir, 'volumes', name), await compressNifti(volume));
      await writeFile(join(dir, 'segmentations', name), await compressNifti({ ...volume, data: segmentation }));
    });
  }
  for (let n = 0; n < images; n++) {
    const condition = conditions[n % conditions.length]!;
    const key = [seed, '2D', n] as const;
    const projection = phantomProjection(drawPatient(condition, ...key), image, ...key);
    const name = `${String(n + 1).padStart(4, '0')}.png`;
    lines.push(`images/${name},${condition},`);
    await write(() => writeFile(join(dir, 'images', name), greyPng(projection)));
  }
  await Promise.all(pending);
  const manifest = join(dir, 'manifest.csv');
  await writeTextAtomically(manifest, `${lines.join('\n')}\n`);
  return { manifest, conditions };
}

/** A PNG of one channel: the red one, of an image whose channels are equal. */
function greyPng({ width, height, data }: Image2D): Uint8Array {
  const grey = new Uint8Array(width * height);
  for (let i = 0; i < grey.length; i++) grey[i] = data[3 * i]!;
  return encode({ width, height, data: grey, depth: 8, channels: 1 }, { zlib: { level: 3 } });
}
