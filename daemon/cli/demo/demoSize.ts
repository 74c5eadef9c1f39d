import type { Modality } from '../../../protocol/modality.ts';
import type { PhantomOptions } from '../../data/phantoms/write.ts';
import type { LabelledPhantoms } from './demoLabels.ts';

/** How much the demo does. */
export interface DemoSize {
  /** Phantoms for pre-training. */
  readonly phantoms: PhantomOptions & Pick<LabelledPhantoms, 'size'>;
  /** Epochs of the pre-training, and the largest number of steps of each of 2D and 3D. */
  readonly pretraining: { readonly epochs: number; readonly stepsPerEpoch: Readonly<Record<Modality, number>> };
  /** Phantoms for the probe and for fine-tuning: other patients. */
  readonly labelled: LabelledPhantoms;
  /** Which networks are fine-tuned, and the epochs of each. */
  readonly fineTuned: readonly Modality[];
  readonly epochs: number;
}

/** So small that a view of 64×64 shows all of it, as fine-tuning does, and that drawing takes little time. */
const size = { slices: 16, plane: 96, image: 96 };

/**
 * `usual`: minutes on two cores; few labels to learn from, and enough fresh phantoms for intervals of about ±6 points. `quick`: shows
 * the way; its numbers mean nothing.
 */
const sizes = {
  usual: {
    phantoms: { volumes: 64, images: 448, size },
    pretraining: { epochs: 64, stepsPerEpoch: { '2D': 28, '3D': 16 } },
    labelled: { train: 16, validation: 16, test: 256, size },
    fineTuned: ['2D', '3D'],
    epochs: 120,
  },
  quick: {
    phantoms: { volumes: 4, images: 16, size },
    pretraining: { epochs: 2, stepsPerEpoch: { '2D': 2, '3D': 2 } },
    labelled: { train: 8, validation: 8, test: 16, size },
    fineTuned: ['2D'],
    epochs: 2,
  },
} as const;

/** Phantoms for the probe and fine-tuning are other patients than those for pre-training: their seeds are this much larger. */
const otherPatients = 2 ** 31;

export function demoSize(name: keyof typeof sizes, seed: number): DemoSize {
  const { phantoms, labelled, ...rest } = sizes[name];
  return { ...rest, phantoms: { ...phantoms, seed }, labelled: { ...labelled, seed: seed + otherPatients } };
}
