import type { DatasetPreset } from './types.ts';

/** CHAOS: four organs in MR of the abdomen. A preset of our own: the paper has no MR. */
export const chaos: DatasetPreset = {
  name: 'chaos',
  title: 'CHAOS',
  problem: 'segmentation',
  modality: '3D',
  exclusive: true,
  labels: ['liver', 'right kidney', 'left kidney', 'spleen'],
  fixed: { fit: 'crop', batch: 2, epochs: 100, stepsPerEpoch: 250 },
  train: { optimizer: 'adamW', lr: 1e-4, schedule: 'poly', deepSupervision: true },
  metrics: ['Dice', 'average surface distance', '95 % Hausdorff distance'],
  page: 'docs/datasets/chaos.md',
};
