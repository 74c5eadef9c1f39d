import { Tensor } from '@tensorflow/tfjs-core';
import { UnimissError } from '../../protocol/errors.ts';
import { DataType, dtypeName, sizeOf } from './dataType.ts';

/** How a step executes: as a graph with oneDNN's kernels, through XLA, or op by op (for debugging). */
export type Executor = 'graph' | 'xla' | 'eager';

export interface StepInput {
  shape: readonly number[];
  dtype?: 'float32' | 'int32';
}

export interface StepDefinition<I extends string = string, O extends string = string> {
  /** For messages. */
  name: string;
  inputs: Readonly<Record<I, StepInput>>;
  executor: Executor;
  /** In eager execution it runs in every call, otherwise once, with placeholders. */
  body: (inputs: Record<I, Tensor>) => Record<O, Tensor>;
  /** Runs the graph's ops one after the other: 4–8 % less memory, about 16 % more time. */
  singleThreaded?: boolean;
}

/** A number stands for a scalar. */
export type StepValue = number | Float32Array | Int32Array;

export function inputsOf<I extends string>({ inputs }: Pick<StepDefinition<I>, 'inputs'>): [I, StepInput][] {
  return Object.entries(inputs) as [I, StepInput][];
}

/** @throws UnimissError 'engine' for a value that is missing, unknown or does not fit its input */
export function checkValues<I extends string>(definition: StepDefinition<I>, values: Record<I, StepValue>): void {
  for (const name of Object.keys(values)) inputNamed(definition, name);
  for (const [name] of inputsOf(definition)) {
    const value: StepValue | undefined = values[name];
    if (value === undefined) throw refusal(definition, `input "${name}" is missing`);
    checkInput(definition, name, value);
  }
}

/** @throws UnimissError 'engine' for a value that is unknown or does not fit its input */
function checkInput<I extends string>(definition: StepDefinition<I>, name: I, value: StepValue): void {
  const input = inputNamed(definition, name);
  const { length } = asArray(value);
  const type = `${dtypeName(dtypeOf(input))}[${input.shape}]`;
  if (length !== sizeOf(input.shape))
    throw refusal(definition, `input "${name}" has ${length} values; ${type} needs ${sizeOf(input.shape)}`);
  if (input.dtype === 'int32') {
    const odd = asArray(value).find((x: number) => x !== (x | 0));
    if (odd !== undefined) throw refusal(definition, `input "${name}" has the value ${odd}, which ${type} cannot hold`);
  }
}

function inputNamed<I extends string>(definition: StepDefinition<I>, name: string): StepInput {
  const { inputs } = definition as StepDefinition<string>;
  const input = Object.hasOwn(inputs, name) ? inputs[name] : undefined;
  if (!input) throw refusal(definition, `"${name}" is not an input of this step`);
  return input;
}

/** Runs a step's body. @throws UnimissError 'engine' if it returns anything but tensors by name */
export function outputsOf<I extends string, O extends string>(
  definition: StepDefinition<I, O>,
  inputs: Record<I, Tensor>,
): [O, Tensor][] {
  const outputs = definition.body(inputs);
  if (typeof outputs !== 'object' || outputs === null || outputs instanceof Promise)
    throw refusal(definition, 'the body must return its outputs by name, and not as a promise');
  const entries = Object.entries(outputs) as [O, Tensor][];
  for (const [name, output] of entries)
    if (!(output instanceof Tensor)) throw refusal(definition, `output "${name}" is not a tensor`);
  return entries;
}

/** The name of a step in messages. */
export function placeOf({ name }: Pick<StepDefinition, 'name'>): string {
  return `step ${name}`;
}

export function refusal(definition: Pick<StepDefinition, 'name'>, what: string): UnimissError {
  return new UnimissError('engine', what, { place: placeOf(definition) });
}

export function dtypeOf(input: StepInput): number {
  return DataType[input.dtype ?? 'float32'];
}

export function asArray(value: StepValue): Float32Array | Float64Array | Int32Array {
  return typeof value === 'number' ? Float64Array.of(value) : value; // float64 holds every int32, float32 does not
}
