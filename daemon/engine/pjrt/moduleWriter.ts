import { UnimissError } from '../../../protocol/errors.ts';
import type { Attrs } from '../attributes.ts';
import { DataType } from '../dataType.ts';
import { isList } from '../isList.ts';
import { describeCall, type GraphWriter, type Node, type NodeInput, type WrittenOutput } from '../trace.ts';
import type { ArrayType } from './client.ts';
import type { HostArray } from './elementType.ts';
import { type FactorType, type ProductPrecision, typeOf } from './lower/builder.ts';
import { Builder, Call, lowerings, type State, stateUpdates, type Value } from './lower/index.ts';

/** A step as a StableHLO module. Its arguments are the parameters of the trace, in their order. */
export interface StableHloModule {
  readonly text: string;
  readonly arguments: readonly ArrayType[];
  /** The step's outputs. The new values of `updated` follow them. */
  readonly outputs: readonly ArrayType[];
  /** Arguments whose new value takes their memory: variables that the step changes. */
  readonly updated: readonly number[];
  /** The op behind a line of the text (counted from 1), for messages. */
  placeOf(line: number): string | undefined;
}

/**
 * Writes a trace as StableHLO text. Values are named in the order of the trace, which is that of eager execution; so a read of a
 * variable is its value at that place. Control inputs become `optimization_barrier`: they keep XLA from merging what is computed
 * again in the backward pass with what the forward pass computed.
 */
export class ModuleWriter implements GraphWriter<HostArray, StableHloModule> {
  private readonly builder: Builder;
  private readonly values = new Map<Node, readonly Value[]>();
  private readonly arguments: ArrayType[] = [];
  /** The present values of variables, by the node of their argument. */
  private readonly variables = new Map<Node, { readonly argument: number; value: Value; changed: boolean }>();
  /** Values after a barrier, and values that depend on one, by its control nodes. */
  private readonly behind = new Map<string, Value>();
  private readonly dependent = new Set<string>();
  /** The op behind each line of the body. */
  private readonly places: string[] = [];
  private nodes = 0n;

  /** @param step name of the step, for messages */
  constructor(
    private readonly step: string,
    precision: ProductPrecision,
    factors: FactorType = 'float32',
  ) {
    this.builder = new Builder(precision, factors);
  }

  /** @param shape of a variable's handle: that of the variable */
  parameter(_name: string, dtype: number, shape: readonly number[]): WrittenOutput {
    const argument = this.arguments.length;
    const variable = dtype === DataType.resource;
    const type = { dtype: variable ? DataType.float32 : dtype, shape: [...shape] };
    try {
      typeOf(type);
    } catch (cause) {
      throw new UnimissError('engine', (cause as Error).message, { place: `an input of step ${this.step}`, cause });
    }
    this.arguments.push(type);
    const value = { name: `%arg${argument}`, ...type };
    const output = this.register([value]);
    if (variable) this.variables.set(output, { argument, value, changed: false });
    return { node: output, index: 0, dtype, shape: [...shape] };
  }

  constant(_name: string, dtype: number, shape: readonly number[], value: HostArray): WrittenOutput {
    const node = this.register([{ dtype, shape: [...shape], constant: value.slice() }]);
    return { node, index: 0, dtype, shape: [...shape] };
  }

  /** @throws UnimissError 'engine' for an op that has no form in StableHLO, or not with these operands or attributes */
  node(
    _name: string,
    type: string,
    inputs: readonly NodeInput[],
    attrs: Attrs,
    controls: readonly Node[],
    outputs: number,
    shapes?: readonly (readonly number[])[],
  ): WrittenOutput[] {
    const place = () => `${describeCall(type, inputs.flat())} in step ${this.step}`;
    const before = this.builder.lines.length;
    try {
      const made = this.lower(type, inputs, attrs, controls);
      while (this.places.length < this.builder.lines.length) this.places.push(place());
      if (outputs === 0) return [{ node: this.register(made), index: 0, dtype: 0, shape: [] }];
      const node = this.register(made);
      return made.slice(0, outputs).map(({ dtype, shape }, index) => {
        const given = shapes?.[index];
        if (given && `${given}` !== `${shape}`)
          throw new Error(`its result is [${shape}], but [${given}] was announced`);
        return { node, index, dtype, shape: [...shape] };
      });
    } catch (cause) {
      this.builder.lines.length = before;
      if (cause instanceof UnimissError) throw cause;
      throw new UnimissError('engine', `this op has no form in StableHLO: ${(cause as Error).message}`, {
        place: place(),
        remedy: 'Set engine.device to "cpu" or "cuda", which use TensorFlow.',
        cause,
      });
    }
  }

  finish(
    functionName: string,
    _parameters: readonly WrittenOutput[],
    outputs: readonly WrittenOutput[],
  ): StableHloModule {
    const { builder } = this;
    const declared = outputs.map((output) => this.valueOf(output));
    const changed = [...this.variables.values()].filter((variable) => variable.changed);
    const results = [...declared, ...changed.map(({ value }) => value)];
    const names = results.map((value) => builder.use(value)); // may write constants
    const alias = new Map(changed.map(({ argument }, i) => [argument, declared.length + i]));
    const heads = this.arguments.map((type, i) => {
      const output = alias.get(i);
      return `%arg${i}: ${typeOf(type)}${output === undefined ? '' : ` {tf.aliasing_output = ${output} : i32}`}`;
    });
    const types = results.map(typeOf).join(', ');
    const opening = [`module @${functionName} {`, `func.func public @main(${heads.join(', ')}) -> (${types}) {`];
    const ending = `return${names.length > 0 ? ` ${names.join(', ')} : ${types}` : ''}`;
    const text = [...opening, ...builder.lines, ending, '} }', ''].join('\n');
    const { places } = this;
    return {
      text,
      arguments: this.arguments,
      outputs: declared.map(({ dtype, shape }) => ({ dtype, shape })),
      updated: changed.map(({ argument }) => argument),
      placeOf: (line) => places[line - 1 - opening.length],
    };
  }

  dispose(): void {}

  private lower(type: string, inputs: readonly NodeInput[], attrs: Attrs, controls: readonly Node[]): readonly Value[] {
    const update = stateUpdates[type];
    const lowering = lowerings[type];
    if (!update && !lowering) throw new Error('nobody has written it');
    const operands = inputs.map((input) => ('node' in input ? this.valueOf(input) : input.map((i) => this.valueOf(i))));
    if (update) {
      const call = new Call(type, operands, attrs);
      const read = update(this.builder, call, this.stateFor(inputs));
      call.checkAttributes();
      return read;
    }
    const key = controls.length > 0 ? [...controls].sort().join() : undefined;
    const call = new Call(type, key === undefined ? operands : this.gate(operands, key, controls), attrs);
    const made = lowering!(this.builder, call);
    call.checkAttributes();
    if (key !== undefined) for (const value of made) this.dependent.add(`${key} ${value.name}`);
    return made;
  }

  private stateFor(inputs: readonly NodeInput[]): State {
    const variable = (i: number) => {
      const input = inputs[i];
      const found = input && 'node' in input ? this.variables.get(input.node) : undefined;
      if (!found) throw new Error(`operand ${i} is no variable`);
      return found;
    };
    return {
      read: (i) => variable(i).value,
      write: (i, value) => {
        const found = variable(i);
        if (`${value.shape}` !== `${found.value.shape}`)
          throw new Error(`the variable is [${found.value.shape}], its new value [${value.shape}]`);
        found.value = value;
        found.changed = true;
      },
    };
  }

  /** Operands of which at least one waits for the controls, so that the op does. */
  private gate(
    operands: readonly (Value | readonly Value[])[],
    key: string,
    controls: readonly Node[],
  ): (Value | readonly Value[])[] {
    const flat = operands.flat().filter(({ name }) => name !== undefined);
    if (flat.length === 0 || flat.some(({ name }) => this.dependent.has(`${key} ${name}`))) return [...operands];
    const [entry] = flat as [Value];
    const known = this.behind.get(`${key} ${entry.name}`);
    const gated = known ?? this.barrier(entry, controls);
    this.behind.set(`${key} ${entry.name}`, gated);
    const replace = (value: Value) => (value === entry || value.name === entry.name ? gated : value);
    return operands.map((operand) => (isList(operand) ? operand.map(replace) : replace(operand)));
  }

  private barrier(entry: Value, controls: readonly Node[]): Value {
    const first = controls.flatMap((node) => this.values.get(node) ?? []).filter(({ name }) => name !== undefined);
    const others = first.filter(({ name }) => name !== entry.name);
    return others.length > 0 ? this.builder.barrier(entry, others) : entry;
  }

  private register(values: readonly Value[]): Node {
    const node = this.nodes++;
    this.values.set(node, values);
    return node;
  }

  private valueOf({ node, index }: WrittenOutput): Value {
    const value = this.values.get(node)?.[index];
    if (!value) throw new Error('an operand is the effect of an op, not a value');
    return value;
  }
}
