import type { DatasetPreset } from './types.ts';

/** Chest X-rays of three classes. */
export const cxrCovid19: DatasetPreset = {
  name: 'cxr-covid-19',
  title: 'CXR-Covid-19',
  problem: 'classification',
  modality: '2D',
  exclusive: true,
  labels: ['covid-19', 'pneumonia', 'normal'],
  fixed: { patch: [224, 224], fit: 'resize', spacing: null, batch: 8, epochs: 100, stepsPerEpoch: null },
  train: { optimizer: 'adamW', lr: 5e-5, weightDecay: 5e-3, earlyStopping: { metric: 'auc', patience: 30 } },
  metrics: ['AUC', 'accuracy', 'average precision', 'sensitivity', 'specificity'],
  page: 'docs/datasets/cxr-covid-19.md',
};
