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
  /** Sets student and teacher to the same values and forgets moments, centre and counts. */
  start(values: (name: string) => Float32Array): void;
  dispose(): void;
}

/** Values of a checkpoint's tensor, in the reference's layout; undefined where it has none of this name. */
export type ReadTensor = (name: string) => Promise<Float32Array | undefined> | Float32Array | undefined;

/** A state with fresh weights: student and teacher equal, moments and centre 0. Everything follows from the seed. */
export function createPretrainState(engine: Engine, config: MitConfig, seed: number): PretrainState {
  const table = parameterTable(config);
  const specs = new Map(table.map((spec) => [spec.name, spec]));
  const magnitudes = table.filter((spec) => !learns(spec));
  const parameters = table.filter(learns).map((spec): TrainedParameter => {
    const variable = (role: Role) => engine.variable(`${role}.${spec.name}`, ourShape(spec));
    return {
      spec,
      student: variable('student'),
      teacher: variable('teacher'),
      exp_avg: variable('exp_avg'),
      exp_avg_sq: variable('exp_avg_sq'),
    };
  });
  const center = engine.variable('center', [1, config.head.out]);
  const counts: AdamCounts = { shared: 0, volume: 0, lastLayer: 0 };

  const state: PretrainState = {
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
    start(values) {
      for (const parameter of parameters) {
        const data = fromReference(parameter.spec, values(parameter.spec.name));
        const zeros = new Float32Array(data.length);
        parameter.student.assign(data);
        parameter.teacher.assign(data);
        parameter.exp_avg.assign(zeros);
        parameter.exp_avg_sq.assign(zeros);
      }
      center.assign(new Float32Array(config.head.out));
      Object.assign(counts, { shared: 0, volume: 0, lastLayer: 0 });
    },
    dispose() {
      for (const parameter of parameters) for (const role of roles) parameter[role].dispose();
      center.dispose();
    },
  };
  state.start((name) => {
    const random = new Random(seed, 'parameter', name);
    return initialValues(specs.get(name)!, () => random.uniform(0, 1));
  });
  return state;
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
