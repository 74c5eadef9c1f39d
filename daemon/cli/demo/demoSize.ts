import type { PhantomOptions } from '../../data/phantoms/write.ts';
import type { LabelledPhantoms } from './demoLabels.ts';

/** How much the demo does. */
export interface DemoSize {
  /** Phantoms for pre-training. */
  readonly phantoms: PhantomOptions & { readonly size: { readonly slices: number } };
  /** Epochs of the pre-training, and the largest number of steps of each. */
  readonly pretraining: { readonly epochs: number; readonly stepsPerEpoch: number };
  /** Phantoms for fine-tuning: other patients. */
  readonly labelled: LabelledPhantoms;
  /** Epochs of each fine-tuning. */
  readonly epochs: number;
}

/**
 * `usual`: enough of each class for k-NN, few enough for minutes on two cores; few labels to learn from, and enough test pictures for
 * an interval of about ±8 points. `quick`: shows the way; its numbers mean nothing.
 */
export const demoSizes: Readonly<Record<'usual' | 'quick', DemoSize>> = {
  usual: {
    phantoms: { seed: 1, volumes: 64, images: 448, size: { slices: 16 } },
    pretraining: { epochs: 20, stepsPerEpoch: 56 },
    labelled: { seed: 2, train: 16, validation: 16, test: 160 },
    epochs: 60,
  },
  quick: {
    phantoms: { seed: 1, volumes: 4, images: 16, size: { slices: 16 } },
    pretraining: { epochs: 2, stepsPerEpoch: 2 },
    labelled: { seed: 2, train: 8, validation: 8, test: 12 },
    epochs: 2,
  },
};
