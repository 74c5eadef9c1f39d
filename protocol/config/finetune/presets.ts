import type { Channel, FinetuneGiven } from './schema.ts';
import type { EpochMetric } from './trainSchema.ts';

/** Defaults by problem and modality, which a configuration may omit. */
export interface ProblemPreset {
  readonly patch: readonly [number, number] | readonly [number, number, number];
  readonly fit: 'crop' | 'resize';
  readonly batch: number;
  readonly stepsPerEpoch: number | null;
  readonly lr: number;
  readonly weightDecay: number;
  readonly best: EpochMetric;
  readonly earlyStopping: { readonly metric: EpochMetric; readonly patience: number } | null;
  readonly channels: readonly Channel[];
}

/** The reference's numbers for CT: clipped to [−1024, 325] HU, minus 158.58 below, over 324.70. */
const ct: Channel = {
  name: 'CT',
  normalization: { scheme: 'clip', range: [-1024, 325], mean: -158.58, deviation: 324.7 },
};
const rgb: readonly Channel[] = ['red', 'green', 'blue'].map((name) => ({
  name,
  normalization: { scheme: 'divide', by: 255 },
}));

const segmentation = { stepsPerEpoch: 250, lr: 1e-4, weightDecay: 5e-4, best: 'dice', earlyStopping: null } as const;
const classification = {
  fit: 'resize',
  batch: 8,
  stepsPerEpoch: null,
  lr: 5e-5,
  weightDecay: 5e-3,
  best: 'auc',
  earlyStopping: { metric: 'auc', patience: 30 },
} as const;

/** The paper's settings: BCV, RICORD, JSRT and CXR-Covid-19. */
const presets: Readonly<Record<`${FinetuneGiven['problem']}-${FinetuneGiven['modality']}`, ProblemPreset>> = {
  'segmentation-3D': { ...segmentation, patch: [48, 192, 192], fit: 'crop', batch: 2, channels: [ct] },
  'segmentation-2D': { ...segmentation, patch: [224, 224], fit: 'resize', batch: 8, channels: rgb },
  'classification-3D': { ...classification, patch: [64, 128, 128], channels: [ct] },
  'classification-2D': { ...classification, patch: [224, 224], channels: rgb },
};

export function presetOf({ problem, modality }: Pick<FinetuneGiven, 'problem' | 'modality'>): ProblemPreset {
  return presets[`${problem}-${modality}`];
}
