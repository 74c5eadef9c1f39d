import type { Tensor } from '@tensorflow/tfjs-core';
import { UnimissError } from '../../../protocol/errors.ts';
import { Random } from '../../data/random.ts';
import type { Engine, Variable } from '../../engine/index.ts';
import type { MitConfig } from '../../model/config.ts';
import { initialValues } from '../../model/initialize.ts';
import { fromReference, ourShape, toReference } from '../../model/layout.ts';
import { learns, type ParameterSpec, parameterTable } from '../../model/parameters.ts';
import type { AdamCounts, NamedTensor } from './types.ts';

/** Names under which a checkpoint keeps a parameter's tensors. */
const roles = ['student', 'teacher', 'exp_avg', 'exp_avg_sq'] as const;
type Role = (typeof roles)[number];

/** A parameter that learns, with everything that training keeps for it; values are in our layout (model/layout.ts). */
export interface TrainedParameter extends Readonly<Record<Role, Variable>> {
  readonly spec: ParameterSpec;
}

/** All that a pre-training run changes: student, teacher, Adam's moments, centre and counts. Held in TensorFlow variables. */
export interface PretrainState {
  readonly config: MitConfig;
  readonly parameters: readonly TrainedParameter[];
  /** Mean of the teacher's outputs, [1, out]. */
  readonly center: Variable;
  /** Moved by each step; set it when a checkpoint is loaded. */
  readonly counts: AdamCounts;
  /** The tensors of a checkpoint. Read one after the other, only one is in memory at a time. */
  tensors(): NamedTensor[];
  /**
   * Takes over a checkpoint's tensors (reference's names and layout, see `NamedTensor`).
   * @throws UnimissError naming the first tensor that is missing, has another size or cannot be represented.
   */
  load(read: ReadTensor): Promise<void>;
  dispose(): void;
}

/** Values of a checkpoint's tensor, in the reference's layout; undefined where it has none of this name. */
export type ReadTensor = (name: string) => Promise<Float32Array | undefined> | Float32Array | undefined;

/** First values of a parameter, in the reference's layout. */
export type FirstValues = (name: string) => Float32Array;

/**
 * A state at the beginning of training: student and teacher equal, moments and centre 0.
 * @param from a seed, from which everything follows, or values of the student
 */
export function createPretrainState(engine: Engine, config: MitConfig, from: number | FirstValues): PretrainState {
  const table = parameterTable(config);
  const magnitudes = table.filter((spec) => !learns(spec));
  const newParameter = (spec: ParameterSpec): TrainedParameter => {
    const variable = (role: Role, init?: Float32Array | Tensor) =>
      engine.variable(`${role}.${spec.name}`, ourShape(spec), init);
    const values = typeof from === 'number' ? seededValues(spec, from) : from(spec.name);
    const student = variable('student', fromReference(spec, values));
    const value = student.read();
    const teacher = variable('teacher', value);
    value.dispose();
    return { spec, student, teacher, exp_avg: variable('exp_avg'), exp_avg_sq: variable('exp_avg_sq') };
  };
  // The largest first: JavaScript's copy of it is then collected while the others are made.
  const made = new Map(
    table
      .filter(learns)
      .sort((a, b) => sizeOf(b) - sizeOf(a))
      .map((spec) => [spec.name, newParameter(spec)]),
  );
  const parameters = table.filter(learns).map(({ name }) => made.get(name)!);
  const center = engine.variable('center', [1, config.head.out]);
  const counts: AdamCounts = { shared: 0, volume: 0, lastLayer: 0 };

  return {
    config,
    parameters,
    center,
    counts,
    tensors() {
      const learned = parameters.flatMap((parameter) =>
        roles.map((role): NamedTensor => {
          const { spec } = parameter;
          const read = () => toReference(spec, parameter[role].value());
          return { name: `${role}.${spec.name}`, shape: spec.shape, read };
        }),
      );
      const fixed = magnitudes.flatMap((spec) =>
        (['student', 'teacher'] as const).map((role): NamedTensor => {
          const read = () => new Float32Array(spec.shape[0]!).fill(1);
          return { name: `${role}.${spec.name}`, shape: spec.shape, read };
        }),
      );
      return [...learned, ...fixed, { name: 'center', shape: [1, config.head.out], read: () => center.value() }];
    },
    async load(read) {
      for (const parameter of parameters)
        for (const role of roles) {
          const data = await expect(read, `${role}.${parameter.spec.name}`, parameter.spec.shape);
          parameter[role].assign(fromReference(parameter.spec, data));
        }
      for (const spec of magnitudes)
        for (const role of ['student', 'teacher'])
          if ((await expect(read, `${role}.${spec.name}`, spec.shape)).some((value) => value !== 1))
            throw new UnimissError(
              'checkpoint',
              'the last layer has magnitudes other than 1, which are not supported',
              {
                place: `${role}.${spec.name}`,
                remedy: 'Use a checkpoint that was trained with a normalised last layer (norm_last_layer).',
              },
            );
      center.assign(await expect(read, 'center', [1, config.head.out]));
    },
    dispose() {
      for (const parameter of parameters) for (const role of roles) parameter[role].dispose();
      center.dispose();
    },
  };
}

function sizeOf({ shape }: ParameterSpec): number {
  return shape.reduce((all, length) => all * length, 1);
}

function seededValues(spec: ParameterSpec, seed: number): Float32Array {
  const random = new Random(seed, 'parameter', spec.name);
  return initialValues(spec, () => random.uniform(0, 1));
}

async function expect(read: ReadTensor, name: string, shape: readonly number[]): Promise<Float32Array> {
  const data = await read(name);
  const size = shape.reduce((all, length) => all * length, 1);
  if (data?.length === size) return data;
  throw new UnimissError(
    'checkpoint',
    data ? `has ${data.length} values where the model wants ${size} ([${shape.join(', ')}])` : 'is missing',
    { place: name, remedy: 'Load it into the model that it was trained with (same preset, sizes and head).' },
  );
}
