import { Tensor, tidy } from '@tensorflow/tfjs-core';
import { UnimissError } from '../../protocol/errors.ts';
import { callAsync, DataType, dtypeName, type Pointer } from './c-api.ts';
import type { Engine } from './engine.ts';
import { checkStatus } from './status.ts';
import { newHandle, sizeOf, type TensorValues, tensorValues } from './tensors.ts';
import { type NodeOutput, randomInTrace, Trace } from './trace.ts';

/** How a step is executed: a graph with oneDNN's kernels, XLA, or op by op (for debugging). */
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
  /** Runs once per step when eager, else once in all, with placeholders. */
  body: (inputs: Record<I, Tensor>) => Record<O, Tensor>;
  /** Runs the graph's ops one after the other: a few per cent less memory, about 16 % more time. */
  singleThreaded?: boolean;
}

/** A number stands for a scalar. */
export type StepValue = number | Float32Array | Int32Array;

let tracedExecutor: Executor = 'eager';

/** The executor that the ops being made are for: XLA lacks some of the fused ops that the others have. */
export function currentExecutor(): Executor {
  return tracedExecutor;
}

let functions = 0;

interface Compiled<O> {
  functionName: string;
  /** Handles on the tensors that the trace met: inputs of the function after the declared ones. */
  captured: Pointer[];
  outputs: O[];
}

/** A step that one call executes; made by `engine.compile`. */
export class CompiledStep<I extends string = string, O extends string = string> {
  private compiled: Compiled<O> | undefined;
  private running = false;
  private disposed = false;

  /** @internal */
  constructor(
    private readonly engine: Engine,
    readonly definition: StepDefinition<I, O>,
  ) {
    if (definition.executor !== 'eager') this.compiled = this.trace();
  }

  /**
   * Executes the step. The event loop stays free (but for the executor `eager`).
   * @param values every declared input, in its declared shape; copied before this returns its promise
   * @returns a copy of every output, in C order (an int32 output is in fact an Int32Array, bool and uint8 a Uint8Array, int64 a
   * BigInt64Array)
   * @throws UnimissError 'engine' for a missing, unknown or ill-shaped input, for a second call during the first, after `dispose`,
   * and with TensorFlow's words when an op fails; the step can be run again then, but variables may have been updated in part
   */
  async run(values: Record<I, StepValue>): Promise<Record<O, Float32Array>> {
    this.check(values);
    if (this.running) throw this.refusal('the step is still running');
    if (this.disposed) throw this.refusal('the step was disposed');
    this.running = true;
    try {
      return await (this.compiled ? this.execute(values, this.compiled) : this.executeEagerly(values));
    } finally {
      this.running = false;
    }
  }

  /** Frees the function and its hold on captured tensors; a second call does nothing. Wait for `run` first. */
  dispose(): void {
    if (this.running) throw this.refusal('a running step cannot be disposed');
    this.disposed = true;
    if (!this.compiled) return;
    const { c, context, status } = this.engine;
    const { captured, functionName } = this.compiled;
    this.compiled = undefined;
    for (const handle of captured) c.TFE_DeleteTensorHandle(handle);
    c.TFE_ContextRemoveFunction(context, functionName, status);
    checkStatus(c, status, () => this.place);
  }

  private trace(): Compiled<O> {
    const { engine, definition } = this;
    const { c, context, status, binding } = engine;
    const trace = new Trace(c, status, definition.name);
    const functionName = `step_${functions++}_${definition.name.replace(/[^A-Za-z0-9_]/g, '_')}`;
    let captured: Pointer[] = [];
    try {
      const traced = binding.tracing(trace, () => {
        const parameters = this.inputEntries().map(
          ([name, input]) => [name, trace.parameter(dtypeOf(input), input.shape)] as const,
        );
        let results: [O, NodeOutput][] = [];
        const body = () => {
          const inputs = Object.fromEntries(
            parameters.map(([name, node]) => [name, engine.wrap(binding.adoptNode(node))]),
          );
          const outputs = this.checkOutputs(definition.body(inputs as Record<I, Tensor>));
          results = outputs.map(([name, tensor]) => {
            const node = binding.nodeOf(trace, engine.ids([tensor])[0] as number);
            this.checkReadable(name, node);
            return [name, node];
          });
        };
        forbiddingRandomness(definition.name, () => withExecutor(definition.executor, () => tidy(body)));
        return results;
      });
      captured = traced.captured;
      const f = trace.finish(
        functionName,
        traced.result.map(([, node]) => node),
      );
      try {
        if (definition.executor === 'xla') {
          c.TF_FunctionSetAttrValueProto(f, '_XlaMustCompile', ATTR_TRUE, ATTR_TRUE.length, status);
          checkStatus(c, status, () => this.place);
        }
        c.TFE_ContextAddFunction(context, f, status);
        checkStatus(c, status, () => this.place);
      } finally {
        c.TF_DeleteFunction(f);
      }
      return { functionName, captured, outputs: traced.result.map(([name]) => name) };
    } catch (error) {
      for (const handle of captured) c.TFE_DeleteTensorHandle(handle);
      trace.dispose();
      throw error;
    }
  }

  private async execute(values: Record<I, StepValue>, compiled: Compiled<O>): Promise<Record<O, Float32Array>> {
    const { engine, definition } = this;
    const { c, context } = engine;
    const { functionName, captured, outputs } = compiled;
    const status = c.TF_NewStatus() as Pointer; // its own: other ops may run meanwhile
    const place = () => this.place;
    const fed: Pointer[] = [];
    let op: Pointer | undefined;
    try {
      for (const [name, input] of this.inputEntries())
        fed.push(newHandle(c, status, dtypeOf(input), input.shape, asArray(values[name])));
      op = c.TFE_NewOp(context, functionName, status) as Pointer;
      checkStatus(c, status, place);
      for (const handle of [...fed, ...captured]) c.TFE_OpAddInput(op, handle, status);
      checkStatus(c, status, place);
      if (definition.executor === 'xla') c.TFE_OpSetAttrBool(op, '_XlaMustCompile', 1);
      if (definition.singleThreaded) {
        const type = Buffer.from('SINGLE_THREADED_EXECUTOR');
        c.TFE_OpSetAttrString(op, 'executor_type', type, type.length);
      }
      const results = new BigUint64Array(Math.max(outputs.length, 1));
      const count = new Int32Array([outputs.length]);
      await callAsync(c.TFE_Execute, op, results, count, status);
      checkStatus(c, status, place);
      // Reading `count` here keeps it alive until now: koffi holds no reference on what C writes to.
      return await this.readOutputs(outputs, results.subarray(0, count[0]), status);
    } finally {
      for (const handle of fed) c.TFE_DeleteTensorHandle(handle);
      if (op) c.TFE_DeleteOp(op);
      c.TF_DeleteStatus(status);
    }
  }

  /** Waits off the event loop: on a GPU the kernels are still running when TFE_Execute returns. */
  private async readOutputs(
    names: readonly O[],
    handles: BigUint64Array,
    status: Pointer,
  ): Promise<Record<O, Float32Array>> {
    const { c } = this.engine;
    const result: Partial<Record<O, TensorValues>> = {};
    try {
      for (const [i, name] of names.entries()) {
        const handle = handles[i] as Pointer;
        const tensor = await callAsync<Pointer>(c.TFE_TensorHandleResolve, handle, status);
        checkStatus(c, status, () => `output "${name}" of ${this.place}`);
        try {
          result[name] = tensorValues(c, tensor, c.TFE_TensorHandleDataType(handle) as number);
        } finally {
          c.TF_DeleteTensor(tensor);
        }
      }
    } finally {
      for (const handle of handles) c.TFE_DeleteTensorHandle(handle);
    }
    return result as Record<O, Float32Array>;
  }

  private executeEagerly(values: Record<I, StepValue>): Record<O, Float32Array> {
    const { engine, definition } = this;
    return withExecutor('eager', () => {
      const result: Partial<Record<O, TensorValues>> = {};
      // Read inside the tidy: it frees what the step made and nothing else, also where the body returns a tensor of the caller's.
      tidy(() => {
        const inputs = this.inputEntries().map(([name, input]) => {
          const value = asType(input, asArray(values[name]));
          return [name, engine.tensor(value, input.shape)] as const;
        });
        const outputs = this.checkOutputs(definition.body(Object.fromEntries(inputs) as Record<I, Tensor>));
        for (const [name, tensor] of outputs) result[name] = tensor.dataSync() as Float32Array;
      });
      return result as Record<O, Float32Array>;
    });
  }

  private inputEntries(): [I, StepInput][] {
    return Object.entries(this.definition.inputs) as [I, StepInput][];
  }

  private check(values: Record<I, StepValue>): void {
    for (const name of Object.keys(values))
      if (!Object.hasOwn(this.definition.inputs, name)) throw this.refusal(`"${name}" is no input of this step`);
    for (const [name, input] of this.inputEntries()) {
      const value: StepValue | undefined = values[name];
      if (value === undefined) throw this.refusal(`input "${name}" is missing`);
      const { length } = asArray(value);
      const type = `${dtypeName(dtypeOf(input))}[${input.shape}]`;
      if (length !== sizeOf(input.shape))
        throw this.refusal(`input "${name}" has ${length} values; ${type} needs ${sizeOf(input.shape)}`);
      if (input.dtype === 'int32') {
        const odd = asArray(value).find((x: number) => x !== (x | 0));
        if (odd !== undefined) throw this.refusal(`input "${name}" has the value ${odd}, which ${type} cannot hold`);
      }
    }
  }

  /** The outputs by name. @throws UnimissError 'engine' when the body gave something else than tensors */
  private checkOutputs(outputs: Record<O, Tensor>): [O, Tensor][] {
    if (typeof outputs !== 'object' || outputs === null || outputs instanceof Promise)
      throw this.refusal('the body must return its outputs by name, and not as a promise');
    const entries = Object.entries(outputs) as [O, Tensor][];
    for (const [name, output] of entries)
      if (!(output instanceof Tensor)) throw this.refusal(`output "${name}" is not a tensor`);
    return entries;
  }

  /** An output that could not be read would be noticed only after the step had its effects. */
  private checkReadable(name: O, { dtype, shape }: NodeOutput): void {
    if (!readableTypes.has(dtype))
      throw this.refusal(
        dtype === 0
          ? `output "${name}" is the effect of an op, not a value`
          : `output "${name}" is ${dtypeName(dtype)}[${shape}], which cannot be read; cast it first`,
      );
  }

  private get place(): string {
    return `step ${this.definition.name}`;
  }

  private refusal(what: string): UnimissError {
    return new UnimissError('engine', what, { place: this.place });
  }
}

/** AttrValue { b: true } */
const ATTR_TRUE = Uint8Array.from([0x28, 0x01]);

const readableTypes = new Set<number>([
  DataType.float32,
  DataType.float64,
  DataType.int32,
  DataType.int64,
  DataType.uint8,
  DataType.bool,
]);

function dtypeOf(input: StepInput): number {
  return DataType[input.dtype ?? 'float32'];
}

function asArray(value: StepValue): Float32Array | Float64Array | Int32Array {
  return typeof value === 'number' ? Float64Array.of(value) : value; // float64 holds every int32, float32 does not
}

function asType({ dtype = 'float32' }: StepInput, values: ArrayLike<number>): Float32Array | Int32Array {
  return dtype === 'int32' ? Int32Array.from(values) : Float32Array.from(values);
}

function withExecutor<T>(executor: Executor, body: () => T): T {
  const before = tracedExecutor;
  tracedExecutor = executor;
  try {
    return body();
  } finally {
    tracedExecutor = before;
  }
}

/**
 * TensorFlow.js draws its random numbers in JavaScript, from a seed that is Math.random's unless it is given: in a trace they
 * would silently become constants. So Math.random throws while `body` runs. (With a seed of its own a draw is the same in every
 * step in every executor.)
 */
function forbiddingRandomness<T>(step: string, body: () => T): T {
  const { random } = Math;
  Math.random = () => {
    throw randomInTrace(`TensorFlow.js in step ${step}`);
  };
  try {
    return body();
  } finally {
    Math.random = random;
  }
}
