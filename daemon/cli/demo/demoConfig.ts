import type { Dataset } from '../../data/datasets/unlabelled.ts';
import type { DemoSize } from './demoSize.ts';

/**
 * The configuration of the demo: the nano preset and a schedule with which a random network learns to distinguish classes of
 * pictures within some hundred steps; the paper has many thousands. What differs from the paper, and why:
 * - At first, two views of an image have little in common in a random network's features, and features that the student cannot
 *   predict seem to die out. The student scales the common part by student over teacher temperature, so the teacher begins very
 *   sharp (0.008). Once features have formed, it is soft enough for volumes and slices to agree.
 * - Views share most of the image.
 * - The teacher follows quickly (0.98), the centre more quickly still (0.5): it must outrun the part that all images share.
 * - Few outputs, so that a batch of 8 influences each.
 * - 2D comes first, and for longer than the paper's 2 epochs: its steps are cheap.
 *
 * The number of steps is limited, so that the demo takes minutes for any folder. Found by trial on phantoms: within this time it
 * clearly learns pictures, but not yet volumes.
 */
export function demoConfig(
  images: { paths?: string[]; manifest?: string },
  dataset: Dataset,
  size: DemoSize['pretraining'],
): string {
  const batch = (count: number) => Math.max(1, Math.min(8, count));
  const config = {
    name: 'demo',
    data: { ...images, workers: 1 },
    model: { preset: 'nano', head: { bottleneck: 256, outDim: 256 } },
    train: {
      epochs: size.epochs,
      interval: size.epochs / 2,
      batch: { '2D': batch(dataset.samples2D.length), '3D': batch(dataset.samples3D.length) },
      stepsPerEpoch: size.stepsPerEpoch,
      lr: 0.0065,
      finalLr: 0.0001,
      warmupEpochs: 2,
      momentum: [0.98, 0.985],
      centerMomentum: 0.5,
      teacherTemperature: { start: 0.008, value: 0.06, warmupEpochs: 20 },
      weightDecay: [0.04, 0.04],
      seed: 1,
    },
    views: { area2D: [0.7, 1], crop3D: [1.35, 1.4], volumeDraws: 'volume' },
    // The graph executor needs no measurement.
    engine: { executor: 'graph' },
    checkpoint: { everyEpochs: 5 },
  };
  return `// Configuration of "unimiss demo". Edit it, then run: unimiss pretrain config.unimiss.jsonc\n${JSON.stringify(config, null, 2)}\n`;
}
