import type { DatasetPreset } from './types.ts';

/** MIDRC-RICORD 1A and 1B: chest CT with and without COVID-19. The reference's normalisation of HU. */
export const ricord: DatasetPreset = {
  name: 'ricord',
  title: 'RICORD',
  problem: 'classification',
  modality: '3D',
  exclusive: true,
  labels: ['covid', 'no covid'],
  fixed: {
    patch: [64, 128, 128],
    fit: 'resize',
    spacing: null,
    batch: 8,
    epochs: 100,
    stepsPerEpoch: null,
    channels: [{ name: 'CT', normalization: { scheme: 'clip', range: [-1024, 325], mean: -158.58, deviation: 324.7 } }],
  },
  train: { optimizer: 'adamW', lr: 5e-5, weightDecay: 5e-3, earlyStopping: { metric: 'auc', patience: 30 } },
  metrics: ['AUC', 'accuracy', 'average precision', 'sensitivity', 'specificity'],
  page: 'docs/datasets/ricord.md',
};
