import { UnimissError } from '../../../protocol/errors.ts';
import type { Engine, Variable } from '../../engine/index.ts';
import type { Tensor } from '../../engine/ops/index.ts';
import { fromReference, ourShape, toReference } from '../../model/layout.ts';
import type { ParameterSpec } from '../../model/parameters.ts';
import type { Weights } from '../../model/weights.ts';
import type { FirstValues } from './firstValues.ts';
import { type NamedTensor, type ReadTensor, readRequired } from './namedTensor.ts';

/**
 * One value for each parameter of a network: its weights, or an optimiser's state for them. Values are TensorFlow variables in
 * our layout (model/layout.ts). A parameter that does not learn is 1, and has no variable.
 */
export class ParameterSet {
  private constructor(
    /** The role of the values, such as `student` or `exp_avg`: the first part of their names in a checkpoint. */
    readonly role: string,
    readonly specs: readonly ParameterSpec[],
    private readonly variables: ReadonlyMap<string, Variable>,
  ) {}

  /** @param first initial values, or a set to copy; default: zeros */
  static create(
    engine: Engine,
    role: string,
    specs: readonly ParameterSpec[],
    first?: FirstValues | ParameterSet,
  ): ParameterSet {
    const variables = new Map<string, Variable>();
    const make = (spec: ParameterSpec, init?: Float32Array | Tensor) =>
      variables.set(spec.name, engine.variable(`${role}.${spec.name}`, ourShape(spec), init));
    // Make the largest first: JavaScript's copy of it is then collected while the others are made.
    for (const spec of specs.filter(({ learns }) => learns).sort((a, b) => sizeOf(b) - sizeOf(a))) {
      if (first === undefined) make(spec);
      else if (first instanceof ParameterSet) {
        const value = first.variable(spec.name).read();
        make(spec, value);
        value.dispose();
      } else make(spec, fromReference(spec, first(spec)));
    }
    return new ParameterSet(role, specs, variables);
  }

  /** The parameters that learn. */
  get learning(): readonly ParameterSpec[] {
    return this.specs.filter(({ learns }) => learns);
  }

  /** @throws UnimissError 'internal' if no learning parameter has this name */
  variable(name: string): Variable {
    const variable = this.variables.get(name);
    if (variable) return variable;
    throw new UnimissError('internal', `there is no parameter "${name}"`, { place: this.role });
  }

  /** The present values (in a step: at the time of reading), each read once. */
  weights(): Weights {
    const values = new Map<string, Tensor>();
    return (name) => {
      const value = values.get(name) ?? this.variable(name).read();
      values.set(name, value);
      return value;
    };
  }

  /** The tensors of a checkpoint. If they are read one after the other, only one is in memory at a time. */
  tensors(): NamedTensor[] {
    return this.specs.map((spec) => {
      const variable = this.variables.get(spec.name);
      const read = () => (variable ? toReference(spec, variable.value()) : new Float32Array(sizeOf(spec)).fill(1));
      return { name: this.nameOf(spec), shape: spec.shape, read };
    });
  }

  /**
   * Loads a checkpoint's values.
   * @throws UnimissError 'checkpoint', which names the first tensor that is missing, has another size or cannot be represented
   */
  async load(read: ReadTensor): Promise<void> {
    for (const spec of this.specs) {
      const values = await readRequired(read, this.nameOf(spec), spec.shape);
      const variable = this.variables.get(spec.name);
      if (variable) variable.assign(fromReference(spec, values));
      else if (values.some((value) => value !== 1))
        throw new UnimissError('checkpoint', 'the last layer has magnitudes other than 1, which are not supported', {
          place: this.nameOf(spec),
          remedy: 'Use a checkpoint trained with a normalised last layer (norm_last_layer).',
        });
    }
  }

  dispose(): void {
    for (const variable of this.variables.values()) variable.dispose();
  }

  private nameOf({ name }: ParameterSpec): string {
    return `${this.role}.${name}`;
  }
}

function sizeOf({ shape }: ParameterSpec): number {
  return shape.reduce((all, length) => all * length, 1);
}
