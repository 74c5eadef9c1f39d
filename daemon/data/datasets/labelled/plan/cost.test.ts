import { expect, it } from 'vitest';
import { memoryOf } from './cost.ts';

/** Peaks of whole processes (docs/performance.md), MiB. */
const measured = [
  ['segmentation', '3D', 'nano', [16, 64, 64], 2, 9, 550],
  ['segmentation', '3D', 'nano', [32, 128, 128], 2, 9, 975],
  ['segmentation', '3D', 'tiny', [32, 128, 128], 2, 9, 1420],
  ['segmentation', '3D', 'tiny', [48, 192, 192], 2, 14, 2908],
  ['segmentation', '2D', 'tiny', [224, 224], 8, 3, 1126],
  ['classification', '3D', 'tiny', [64, 128, 128], 4, 4, 1665],
  ['classification', '3D', 'tiny', [64, 128, 128], 8, 2, 2480],
  ['classification', '2D', 'tiny', [224, 224], 16, 4, 1212],
] as const;

it.each(measured)(
  'predicts the memory of %s in %s with %s, %j, batch %i within 15 %% of the measured peak',
  (...one) => {
    const [problem, modality, preset, patch, batch, classes, peak] = one;
    const predicted = memoryOf({ problem, modality, preset, patch, batch, classes }) / 2 ** 20;
    expect(Math.abs(predicted / peak - 1)).toBeLessThan(0.15);
  },
);
