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

type Kind = `${StepSize['problem']}-${StepSize['modality']}`;

/** Work of the networks relative to `tiny`, and millions of parameters, from which the time of the optimiser follows. */
const relative = { nano: 0.2, tiny: 1, small: 2 } as const;
const optimized = { nano: 4, tiny: 26, small: 52 } as const;

/** TensorFlow, Node and the loader, bytes. */
const runtime = 480 * 2 ** 20;
/** Millions of parameters, of which training keeps four copies: weights, gradients, two moments. */
const millionParameters: Readonly<Record<PresetName, Readonly<Record<Kind, number>>>> = {
  nano: { 'segmentation-2D': 0.55, 'segmentation-3D': 1.53, 'classification-2D': 0.36, 'classification-3D': 0.9 },
  tiny: { 'segmentation-2D': 9.28, 'segmentation-3D': 17.62, 'classification-2D': 6.83, 'classification-3D': 12.19 },
  small: { 'segmentation-2D': 23.48, 'segmentation-3D': 38.31, 'classification-2D': 17.33, 'classification-3D': 25.46 },
};
/** Memory of the networks for a voxel, relative to `tiny`. */
const relativeBytes = { nano: 0.69, tiny: 1, small: 1.9 } as const;
/**
 * Bytes kept for the backward pass at the peak of whole processes (docs/performance.md), and core-microseconds of a training step, for each voxel
 * of a batch. A run that has measured its own replaces them.
 */
const perVoxel: Readonly<Record<Kind, { readonly bytes: number; readonly microseconds: number }>> = {
  'segmentation-3D': { bytes: 635, microseconds: 2.5 },
  'segmentation-2D': { bytes: 1300, microseconds: 4 },
  'classification-3D': { bytes: 240, microseconds: 1 },
  'classification-2D': { bytes: 820, microseconds: 2 },
};
/** Of each class and voxel: the logits of all are never there at once, but those of smaller outputs are. */
const bytesPerClass = 4;

/** Bytes that a training needs at its peak. */
export function memoryOf({ problem, modality, preset, patch, batch, classes }: StepSize): number {
  const voxels = batch * patch.reduce((product, side) => product * side, 1);
  const { bytes } = perVoxel[`${problem}-${modality}`];
  const outputs = problem === 'segmentation' ? bytesPerClass * classes : 0;
  return (
    runtime +
    16e6 * millionParameters[preset][`${problem}-${modality}`] +
    voxels * (bytes * relativeBytes[preset] + outputs)
  );
}

/** Seconds of a training step on a CPU; null: on a GPU, which only a run can tell. */
export function secondsOf(step: StepSize, { cores, gpu }: Machine): number | null {
  if (gpu) return null;
  const voxels = step.batch * step.patch.reduce((product, side) => product * side, 1);
  const { microseconds } = perVoxel[`${step.problem}-${step.modality}`];
  return (1e-6 * voxels * microseconds * relative[step.preset]) / cores + (0.05 * optimized[step.preset]) / 26;
}
