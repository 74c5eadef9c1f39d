import { UnimissError } from '../../../protocol/errors.ts';
import type { CompiledStep, StepInput } from '../../engine/index.ts';
import type { MitConfig } from '../../model/config.ts';
import { type Branch, branches } from '../dropPath.ts';
import type { AdamOptions } from '../optimizers/adamW.ts';
import type { PretrainStepInputs, PretrainStepOptions } from './types.ts';

export type CompiledPart = CompiledStep<string, string>;

/** Options with defaults, and derived values. */
export interface ResolvedOptions extends Required<Omit<PretrainStepOptions, 'adam'>> {
  readonly adam: AdamOptions;
  readonly branches: readonly Branch[];
  /** Length of one view. */
  readonly viewLength: number;
}

/** @throws UnimissError 'config' if `accumulate` does not divide `batch` */
export function resolveOptions(config: MitConfig, options: PretrainStepOptions): ResolvedOptions {
  const { phase, batch, accumulate = 1, dropPath = 0 } = options;
  if (!Number.isInteger(batch / accumulate) || batch < 1 || accumulate < 1)
    throw new UnimissError('config', `a batch of ${batch} cannot be split into ${accumulate} equal parts`, {
      place: 'accumulate',
      remedy: 'Choose a batch size that is a multiple of it.',
    });
  const { koleo = 0, sliceStride = 1 } = options;
  if (koleo > 0 && (accumulate > 1 || batch < 2))
    throw new UnimissError(
      'config',
      `KoLeo spreads the images of a whole batch, but sees ${batch / accumulate} at a time`,
      {
        place: 'train.koleo',
        remedy: 'Set train.accumulate to 1 and train.batch to at least 2, or train.koleo to 0.',
      },
    );
  const size = options.size ?? (phase === '2D' ? config.size2D : config.size3D);
  if (phase === '3D' && size[0]! % sliceStride !== 0)
    throw new UnimissError('config', `every ${sliceStride}th of ${size[0]} slices is not a whole number of slices`, {
      place: 'train.sliceStride',
      remedy: `Choose a divisor of ${size[0]}.`,
    });
  return {
    phase,
    batch,
    accumulate,
    dropPath,
    size,
    executor: options.executor ?? 'graph',
    clipGradient: options.clipGradient ?? 0.3,
    studentTemperature: options.studentTemperature ?? 0.1,
    centerMomentum: options.centerMomentum ?? 0.9,
    adam: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, ...options.adam },
    koleo,
    sliceStride,
    branches: branches(config, dropPath),
    viewLength: size.reduce((all, length) => all * length, phase === '2D' ? 3 : 1),
  };
}

/** The number of samples for which stochastic depth draws: the views, then in 3D their slices. */
export function maskSamples({ phase, size, sliceStride }: ResolvedOptions, batch: number): number {
  return phase === '2D' ? 2 * batch : 2 * batch * (1 + size[0]! / sliceStride);
}

/** Kinds of inputs that a part of a step needs. */
export type InputPart = 'views' | 'targets' | 'masks' | 'update';

/** Declared inputs of a compiled part for `batch` images. @param optimizerInputs names of the optimiser's scalars */
export function inputShapes(
  options: ResolvedOptions,
  batch: number,
  parts: readonly InputPart[],
  optimizerInputs: readonly string[] = [],
): Record<string, StepInput> {
  const { size, phase } = options;
  const shapes: Record<InputPart, Record<string, StepInput>> = {
    views: { views: { shape: [2 * batch, ...size, phase === '2D' ? 3 : 1] } },
    targets: { teacherTemperature: { shape: [] } },
    masks:
      options.dropPath > 0 ? { dropPathMasks: { shape: [options.branches.length, maskSamples(options, batch)] } } : {},
    update: {
      momentum: { shape: [] },
      ...Object.fromEntries(optimizerInputs.map((name) => [name, { shape: [] }])),
    },
  };
  return Object.assign({}, ...parts.map((part) => shapes[part]));
}

/** @throws UnimissError, which names the impossible input */
export function checkInputs(options: ResolvedOptions, inputs: PretrainStepInputs): void {
  const fail = (place: string, what: string) => {
    throw new UnimissError('internal', what, { place: `input "${place}" of the pre-training step` });
  };
  const { views, dropPathMasks } = inputs;
  const expected = 2 * options.batch * options.viewLength;
  if (views.length !== expected) fail('views', `has ${views.length} values, not ${expected}`);
  if (!(inputs.momentum > 0 && inputs.momentum <= 1)) fail('momentum', `is ${inputs.momentum}, not in (0, 1]`);
  if (!(inputs.teacherTemperature > 0)) fail('teacherTemperature', `is ${inputs.teacherTemperature}, not above 0`);
  const masks = options.dropPath > 0 ? options.branches.length * maskSamples(options, options.batch) : 0;
  if ((dropPathMasks?.length ?? 0) !== masks)
    fail('dropPathMasks', `has ${dropPathMasks?.length ?? 0} values, not ${masks}`);
}
