import type { PresetName } from '../../../../../protocol/config/pretrain/presets.ts';
import type { Fingerprint } from './fingerprint.ts';
import type { Machine } from './machine.ts';

/** Sizes that decide what a training step costs. */
export interface StepSize {
  readonly problem: Fingerprint['problem'];
  readonly modality: Fingerprint['modality'];
  readonly preset: PresetName;
  readonly patch: readonly number[];
  readonly batch: number;
  /** Classes, background included. */
  readonly classes: number;
}

/** Millions of parameters with those of the decoder, of which training keeps four copies (weights, gradients, two moments). */
const millionParameters = { nano: 4, tiny: 26, small: 52 } as const;
/** Work and memory of the networks relative to `tiny`. */
const relative = { nano: 0.2, tiny: 1, small: 2 } as const;
/** What TensorFlow and Node take before a first step, bytes. */
const runtime = 450 * 2 ** 20;

/**
 * Bytes kept for the backward pass and core-microseconds of a training step, for each voxel of a batch. Derived from the pre-training step
 * (docs/performance.md), where a voxel of `tiny` costs about 1.1 kB and 1.3 core-microseconds; a decoder in full resolution doubles both.
 * Rough figures for planning, until a run has measured its own.
 */
const perVoxel = {
  'segmentation-3D': { bytes: 1000, microseconds: 2.5 },
  'segmentation-2D': { bytes: 1800, microseconds: 4 },
  'classification-3D': { bytes: 500, microseconds: 1 },
  'classification-2D': { bytes: 900, microseconds: 2 },
} as const;
/** Logits, probabilities and their gradient, of each class and voxel, with the smaller outputs of deep supervision. */
const bytesPerClass = 14;

/** Bytes that a training needs at its peak. */
export function memoryOf({ problem, modality, preset, patch, batch, classes }: StepSize): number {
  const voxels = batch * patch.reduce((product, side) => product * side, 1);
  const { bytes } = perVoxel[`${problem}-${modality}`];
  const outputs = problem === 'segmentation' ? bytesPerClass * classes : 0;
  return runtime + 16e6 * millionParameters[preset] + voxels * (bytes * relative[preset] + outputs);
}

/** Seconds of a training step on a CPU; null: on a GPU, which only a run can tell. */
export function secondsOf(step: StepSize, { cores, gpu }: Machine): number | null {
  if (gpu) return null;
  const voxels = step.batch * step.patch.reduce((product, side) => product * side, 1);
  const { microseconds } = perVoxel[`${step.problem}-${step.modality}`];
  return (1e-6 * voxels * microseconds * relative[step.preset]) / cores + (0.05 * millionParameters[step.preset]) / 26;
}
