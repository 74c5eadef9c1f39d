import { encode } from 'fast-png';
import type { ResolvedConfig } from '../../../protocol/config/index.ts';
import { type Preview, view2DPreview, view3DPreview } from '../../data/augment/preview.ts';
import type { ViewBatch } from '../../data/loader/types.ts';
import { writeAtomically } from '../../files/atomic.ts';
import type { RunFolder } from '../folder/runFolder.ts';

/** Images of a batch that are shown. */
const SHOWN = 2;

/**
 * Saves what the network sees as PNG files in the run's previews folder: both views of the first images of a batch, a volume as the
 * strip of its slices. Named `e00012-2D-image0-view1.png`.
 * @returns the files' names, by image
 */
export async function savePreviews(
  run: RunFolder,
  batch: ViewBatch,
  model: ResolvedConfig['model'],
): Promise<string[][]> {
  const sample = batch.views.length / (2 * batch.size);
  const toPicture = (view: Float32Array): Preview =>
    batch.phase === '2D' ? view2DPreview(view, model.size2D) : view3DPreview(view, model.size3D);
  const names: string[][] = [];
  for (let image = 0; image < Math.min(SHOWN, batch.size); image++) {
    const ofImage: string[] = [];
    for (const view of [0, 1]) {
      const at = (view * batch.size + image) * sample;
      const name = `e${String(batch.epoch).padStart(5, '0')}-${batch.phase}-image${image}-view${view + 1}.png`;
      const png = encode(toPicture(batch.views.subarray(at, at + sample)));
      await writeAtomically(run.previewFile(name), (handle) => handle.writeFile(png));
      ofImage.push(name);
    }
    names.push(ofImage);
  }
  return names;
}
