import type { DatasetPreset } from './types.ts';

/** JSRT with the masks of SCR: three structures in chest X-rays that overlap. */
export const jsrt: DatasetPreset = {
  name: 'jsrt',
  title: 'JSRT',
  problem: 'segmentation',
  modality: '2D',
  exclusive: false,
  labels: ['clavicles', 'heart', 'lungs'],
  fixed: { patch: [224, 224], fit: 'resize', spacing: null, batch: 8, epochs: 100 },
  train: { optimizer: 'adamW', lr: 1e-4 },
  metrics: ['Dice', '95 % Hausdorff distance'],
  page: 'docs/datasets/jsrt.md',
};
