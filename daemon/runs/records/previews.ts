import { encode } from 'fast-png';
import { writeAtomically } from '../../files/atomic.ts';
import type { EpochPlan } from '../../train/plan.ts';
import type { PreviewImage } from '../../train/training.ts';
import type { RunFolder } from '../folder/runFolder.ts';

/**
 * Saves what the network sees in a batch of an epoch as PNG files in the run's previews folder, named
 * `e00012-2D-image0-view1.png` (without `2D-` if the run has no groups).
 * @param images pictures of each image
 * @returns the files' names, by image
 */
export async function savePreviews(
  run: RunFolder,
  { epoch, group }: EpochPlan,
  images: readonly PreviewImage[],
): Promise<string[][]> {
  const names: string[][] = [];
  for (const [image, { views }] of images.entries()) {
    const ofImage: string[] = [];
    for (const [view, picture] of views.entries()) {
      const parts = [`e${String(epoch).padStart(5, '0')}`, group, `image${image}`, `view${view + 1}`];
      const name = `${parts.filter((part) => part !== null).join('-')}.png`;
      const png = encode(picture);
      await writeAtomically(run.previewFile(name), (handle) => handle.writeFile(png));
      ofImage.push(name);
    }
    names.push(ofImage);
  }
  return names;
}
