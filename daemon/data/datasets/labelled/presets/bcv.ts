import type { DatasetPreset } from './types.ts';

/** Beyond the Cranial Vault: 13 organs in CT of the abdomen. Trained as nnU-Net's full resolution, but with AdamW. */
export const bcv: DatasetPreset = {
  name: 'bcv',
  title: 'BCV',
  problem: 'segmentation',
  modality: '3D',
  exclusive: true,
  labels: [
    'spleen',
    'right kidney',
    'left kidney',
    'gallbladder',
    'esophagus',
    'liver',
    'stomach',
    'aorta',
    'inferior vena cava',
    'portal and splenic vein',
    'pancreas',
    'right adrenal gland',
    'left adrenal gland',
  ],
  fixed: { patch: [48, 192, 192], fit: 'crop', batch: 2, epochs: 100, stepsPerEpoch: 250 },
  train: { optimizer: 'adamW', lr: 1e-4, schedule: 'poly', deepSupervision: true },
  metrics: ['Dice', '95 % Hausdorff distance'],
  page: 'docs/datasets/bcv.md',
};
