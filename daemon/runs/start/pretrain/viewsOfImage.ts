import { basename } from 'node:path';
import type { PretrainConfig } from '../../../../protocol/config/index.ts';
import type { Modality } from '../../../../protocol/modality.ts';
import { type Preview, view2DPreview, view3DPreview } from '../../../data/augment/preview.ts';
import { inspectImage } from '../../../data/formats/image.ts';
import { openMakers } from '../../../data/loader/openMakers.ts';
import type { BatchTask, MadeBatch } from '../../../data/loader/types.ts';
import { viewOptionsOf } from './images.ts';

/** What the network of a run sees of an image. */
export interface SeenImage {
  readonly phase: Modality;
  /** Both views; a volume as a strip of its slices. */
  readonly views: readonly Preview[];
}

/**
 * Makes both views of an image as a training step would, in a thread of their own.
 * @param epoch each draws anew
 * @throws UnimissError 'data' if the image cannot be read
 */
export async function viewsOfImage(config: PretrainConfig, image: string, epoch: number): Promise<SeenImage> {
  const phase = (await inspectImage(image)).kind;
  const options = { ...viewOptionsOf(config, phase), cacheMiB: 0 };
  const samples = [{ id: basename(image), path: image }];
  const [maker] = openMakers<BatchTask, MadeBatch>(1, { kind: 'views', samples, options });
  if (!maker) throw new Error('no thread for views: a defect');
  try {
    const { views } = await maker.make({ epoch, slots: [{ sample: 0, repeat: 0 }] });
    const { size2D, size3D } = config.model;
    const length = views.length / 2;
    const seen = [0, 1].map((view) => {
      const values = views.subarray(view * length, (view + 1) * length);
      return phase === '2D' ? view2DPreview(values, size2D) : view3DPreview(values, size3D);
    });
    return { phase, views: seen };
  } finally {
    await maker.close();
  }
}
