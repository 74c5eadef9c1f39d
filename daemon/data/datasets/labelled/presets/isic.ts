import type { DatasetPreset } from './types.ts';

/** ISIC 2018, task 1: the lesion in pictures of skin. A preset of our own: the paper has no photographs. */
export const isic: DatasetPreset = {
  name: 'isic',
  title: 'ISIC',
  problem: 'segmentation',
  modality: '2D',
  exclusive: true,
  labels: ['lesion'],
  fixed: { patch: [224, 224], fit: 'resize', spacing: null, batch: 8, epochs: 100 },
  train: { optimizer: 'adamW', lr: 1e-4 },
  metrics: ['IoU', 'Dice'],
  page: 'docs/datasets/isic.md',
};
