import type { Dataset } from '../data/dataset.ts';

/** Steps an epoch at most, so that the demo takes minutes whatever folder it is given. */
const STEPS_PER_EPOCH = 12;

/**
 * The configuration of the demo: the nano preset and a schedule that shows something within minutes. A run this short needs a
 * faster teacher than the paper's (momentum 0.99), and a warm-up of a tenth of the steps.
 */
export function demoConfig(images: { paths?: string[]; manifest?: string }, dataset: Dataset): string {
  const batch = (count: number) => Math.max(1, Math.min(8, count));
  const config = {
    name: 'demo',
    data: { ...images, workers: 1 },
    model: { preset: 'nano' },
    train: {
      epochs: 16,
      interval: 2,
      batch: { '2D': batch(dataset.samples2D.length), '3D': batch(dataset.samples3D.length) },
      stepsPerEpoch: STEPS_PER_EPOCH,
      lr: 0.03,
      momentum: [0.99, 1],
      weightDecay: [0.04, 0.1],
      seed: 1,
    },
    // The graph executor needs no measuring beforehand.
    engine: { executor: 'graph' },
    checkpoint: { everyEpochs: 4 },
  };
  return `// What "unimiss demo" trains. Change it and run it: unimiss pretrain config.unimiss.jsonc\n${JSON.stringify(config, null, 2)}\n`;
}
