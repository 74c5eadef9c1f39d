import { modalities } from '../../../protocol/modality.ts';
import type { Dataset } from '../../data/datasets/unlabelled.ts';
import type { DemoSize } from './demoSize.ts';

/**
 * The configuration of the demo: the nano preset and a schedule by which random networks learned pictures and volumes within some
 * hundred steps in a first study; the paper has many thousands. What differs from the paper, and why (docs/results.md):
 * - 2D and 3D alternate after some dozen steps, so that neither is forgotten. Pictures get more steps than volumes: with as many, both
 *   learn slowly; and a step on pictures takes a quarter of the time. Volumes need some hundred steps. The rate a step is the same.
 * - Pictures, volumes and slices have a centre each, and KoLeo spreads the images of a batch: else volumes collapse in so few steps.
 * - The teacher is sharp from the beginning (0.02) and follows quickly (0.98), the centre more quickly still (0.5).
 * - Views share most of the image, and show most of it.
 * - Few outputs, so that a batch of 8 influences each. Every fourth slice, for time.
 *
 * The number of steps is limited, so that the demo takes minutes for any folder.
 * @param settings `whole`: whether the volumes are about 1.5 views wide, as the demo's phantoms are: then views show all of a volume
 */
export function demoConfig(
  images: { paths?: string[]; manifest?: string },
  dataset: Dataset,
  { seed, whole, ...size }: DemoSize['pretraining'] & { readonly seed: number; readonly whole: boolean },
): string {
  const batch = (most: number, count: number) => (count === 0 ? most : Math.min(most, count));
  const batches = { '2D': batch(8, dataset.samples2D.length), '3D': batch(4, dataset.samples3D.length) };
  const lr = { '2D': 0.0096, '3D': 0.0192 };
  const config = {
    name: 'demo',
    data: { ...images, workers: 1 },
    model: { preset: 'nano', head: { bottleneck: 256, outDim: 256 } },
    train: {
      epochs: size.epochs,
      interval: 1,
      batch: batches,
      stepsPerEpoch: size.stepsPerEpoch,
      lr,
      finalLr: Math.min(0.0001, ...modalities.map((phase) => (lr[phase] * batches[phase]) / 256)),
      warmupEpochs: 2,
      momentum: [0.98, 0.985],
      centerMomentum: 0.5,
      teacherTemperature: { value: 0.02, warmupEpochs: 0 },
      weightDecay: [0.04, 0.04],
      centers: 'separate',
      // It needs two images.
      koleo: Math.min(...Object.values(batches)) < 2 ? 0 : 0.3,
      sliceStride: 4,
      seed,
    },
    views: {
      area2D: [0.7, 1],
      ...(whole ? { crop3D: [1.2, 1.5], parent3D: [1.4, 1.5], pad3D: 1.5 } : { crop3D: [1.35, 1.4] }),
      volumeDraws: 'volume',
    },
    // The graph executor needs no measurement.
    engine: { executor: 'graph' },
    checkpoint: { everyEpochs: 8 },
  };
  return `// Configuration of "unimiss demo". Edit it, then run: unimiss pretrain config.unimiss.jsonc\n${JSON.stringify(config, null, 2)}\n`;
}
