import type { Modality } from '../modality.ts';
import type { ConfigProblem } from './kind.ts';
import { type PresetName, presets, type Stages, smallestSide, strides } from './pretrain/presets.ts';

/** The multiple of `step` nearest to `value`, but at least `least`. */
const nearestMultiple = (value: number, step: number, least: number): number =>
  Math.max(Math.ceil(least / step) * step, Math.round(value / step) * step);

/** Why the network cannot take images of a size, [height, width] or [slices, height, width]; undefined if it can. */
export function sizeProblem(path: string[], modality: Modality, size: readonly number[] | undefined): ConfigProblem[] {
  if (size === undefined) return [];
  const step = strides[modality];
  const least = modality === '2D' ? [smallestSide, smallestSide] : [strides['3D'][0], smallestSide, smallestSide];
  const valid = size.map((side, axis) => nearestMultiple(side, step[axis]!, least[axis]!));
  if (valid.every((side, axis) => side === size[axis])) return [];
  return [
    {
      path,
      message: `[${size.join(', ')}] does not fit the network: sides must be multiples of ${step.join(', ')} and at least ${least.join(', ')}`,
      remedy: `The closest size that fits is [${valid.join(', ')}].`,
      replacement: `[${valid.join(', ')}]`,
    },
  ];
}

/** Why a preset cannot have a number of stages. */
export function stagesProblem({
  preset,
  stages,
}: {
  preset: PresetName;
  stages?: Stages | undefined;
}): ConfigProblem[] {
  if (stages === undefined || preset === 'nano' || stages === presets[preset].stages) return [];
  return [
    {
      path: ['model', 'stages'],
      message: `\`${preset}\` has ${presets[preset].stages} stages`,
      remedy: 'Remove model.stages.',
      replacement: String(presets[preset].stages),
    },
  ];
}
