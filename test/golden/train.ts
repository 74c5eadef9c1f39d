import { expect } from 'vitest';
import type { Engine, Executor } from '../../daemon/engine/index.ts';
import { presets } from '../../daemon/model/config.ts';
import { parameterTable } from '../../daemon/model/parameters.ts';
import { createPretrainState, createPretrainStep, type PretrainState } from '../../daemon/train/pretrain/index.ts';
import { lossTerms } from '../../protocol/records/series.ts';
import { deviation, goldenImages, goldenWeights, norm, readGolden, type Summary, size } from './values.ts';

interface TrainFile {
  arch: 'tiny' | 'small';
  outDim: number;
  lr: number;
  weightDecay: number;
  clipGrad: number;
  momentum: number;
  teacherTemp: number;
  teacherPrefix: string;
  batch: number;
  size: number | number[];
  inputs: string;
  adamEps: number;
  steps: { terms: Record<string, number>; gradNorms: Record<string, number> }[];
  student: Record<string, Summary>;
  teacher: Record<string, Summary>;
  centre: Summary;
}

/** Names of the loss's terms in the golden files. */
const goldenTerms: Record<string, string> = {
  'volume-volume': 'volume',
  'slices-volume': 'slice_to_volume',
  'slices-slices': 'slice',
  'volume-slices': 'volume_to_slice',
};

/** A state with golden weights: student and teacher different, moments and centre 0. */
export async function goldenState(
  engine: Engine,
  golden: Pick<TrainFile, 'arch' | 'outDim' | 'teacherPrefix'>,
): Promise<PretrainState> {
  const preset = presets[golden.arch];
  const config = { ...preset, head: { ...preset.head, out: golden.outDim } };
  const specs = new Map(parameterTable(config).map((spec) => [spec.name, spec]));
  const state = createPretrainState(engine, config, 0);
  await state.load((key) => {
    if (key === 'center') return new Float32Array(golden.outDim);
    const [role, name] = [key.slice(0, key.indexOf('.')), key.slice(key.indexOf('.') + 1)];
    const spec = specs.get(name)!;
    if (role.startsWith('exp_avg')) return new Float32Array(size(spec.shape));
    return goldenWeights(spec, role === 'teacher' ? golden.teacherPrefix : '');
  });
  return state;
}

/** Both views of a golden step, as the step wants them. */
export function goldenViews(pattern: string, step: number, shape: readonly number[]): Float32Array {
  const views = [0, 1].map((view) =>
    goldenImages(pattern.replace('{k}', `${step}`).replace('{0,1}', `${view}`), shape),
  );
  return Float32Array.from(views.flatMap((view) => Array.from(view)));
}

function relative(actual: number, expected: number): number {
  return Math.abs(actual / expected - 1);
}

/** How far training steps may be off: relative, but for the values of parameters and centre, which are absolute. */
export interface TrainTolerances {
  readonly loss: number;
  readonly term: number;
  /** Of any gradient's norm, in the first step and in later ones. */
  readonly gradient: readonly [first: number, later: number];
  readonly gradientMedian: number;
  readonly gradientTotal: number;
  readonly parameter: number;
  readonly parameterNorm: number;
  readonly centre: number;
}

/** Those of test/golden/data/README.md. */
const exactly: TrainTolerances = {
  ...{ loss: 1e-4, term: 1e-4, gradient: [1e-2, 5e-2], gradientMedian: 1e-3, gradientTotal: 1e-2 },
  ...{ parameter: 3e-4, parameterNorm: 1e-3, centre: 2e-5 },
};

/**
 * Training steps of a golden file in one executor, against the tolerances of test/golden/data/README.md.
 *
 * Where it fails on another processor, in train-tiny-3D with `patch_embed3D0.norm.bias` of step 1 off by 6e-2 and little else: in step 0
 * one input of the deepest LeakyReLU lies 1.9e-6 above its kink, and rounding put it below. (That all inputs within 1e-6 of a kink change
 * sides moves no norm by more than 1e-2.)
 */
export async function checkTraining(
  engine: Engine,
  file: string,
  options: { executor: Executor; microBatches?: boolean; tolerances?: TrainTolerances },
): Promise<void> {
  const { tolerances = exactly } = options;
  const golden = readGolden<TrainFile>(file);
  const length = typeof golden.size === 'number' ? [golden.size, golden.size] : golden.size;
  const phase = length.length === 2 ? '2D' : '3D';
  const shape = [golden.batch, phase === '2D' ? 3 : 1, ...length];
  const state = await goldenState(engine, golden);
  const step = createPretrainStep(engine, state, {
    executor: options.executor,
    accumulate: options.microBatches ? golden.batch : 1,
    phase,
    batch: golden.batch,
    size: length,
    clipGradient: golden.clipGrad,
    adam: { epsilon: golden.adamEps },
  });
  for (const [k, expected] of golden.steps.entries()) {
    const result = await step.run({
      views: goldenViews(golden.inputs, k, shape),
      learningRate: golden.lr,
      weightDecay: golden.weightDecay,
      momentum: golden.momentum,
      teacherTemperature: golden.teacherTemp,
      lastLayerFrozen: false,
    });
    expect(relative(result.loss, expected.terms.loss!), `loss of step ${k}`).toBeLessThan(tolerances.loss);
    lossTerms[phase].forEach((name, i) => {
      if (name in goldenTerms)
        expect(relative(result.terms[i]!, expected.terms[goldenTerms[name]!]!), `${name} of step ${k}`).toBeLessThan(
          tolerances.term,
        );
    });
    expect([...step.trained].sort()).toEqual(Object.keys(expected.gradNorms).sort());
    const errors = step.trained.map((name, i) => relative(result.gradientNorms[i]!, expected.gradNorms[name]!));
    errors.forEach((error, i) => {
      expect(error, `gradient of ${step.trained[i]} in step ${k}`).toBeLessThan(tolerances.gradient[k === 0 ? 0 : 1]);
    });
    expect(errors.sort((a, b) => a - b)[errors.length >> 1], `median gradient error in step ${k}`).toBeLessThan(
      tolerances.gradientMedian,
    );
    expect(relative(result.gradientNorm, norm(Object.values(expected.gradNorms)))).toBeLessThan(
      tolerances.gradientTotal,
    );
  }
  const check = (name: string, data: Float32Array, summary: Summary, tolerance: number) => {
    expect(deviation(data, summary).norm, `norm of ${name}`).toBeLessThan(tolerances.parameterNorm);
    summary.first.forEach((value, i) => {
      expect(Math.abs(data[i]! - value), `${name} [${i}]`).toBeLessThan(tolerance);
    });
  };
  for (const { name, read } of state.tensors()) {
    const dot = name.indexOf('.');
    const summary =
      name === 'center' ? golden.centre : golden[name.slice(0, dot) as 'student' | 'teacher']?.[name.slice(dot + 1)];
    if (summary) check(name, read(), summary, name === 'center' ? tolerances.centre : tolerances.parameter);
  }
  step.dispose();
  state.dispose();
}
