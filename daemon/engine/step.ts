import { dispose, type Tensor, tidy } from '@tensorflow/tfjs-core';
import { UnimissError } from '../../protocol/errors.ts';
import { DataType, dtypeName, type Pointer } from './c-api.ts';
import type { Engine } from './engine.ts';
import { checkStatus } from './status.ts';
import { handleValues, newHandle, sizeOf, type TensorValues } from './tensors.ts';
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

/** A step that one call executes; made by `engine.compile`. */
export class CompiledStep<I extends string = string, O extends string = string> {
  private compiled: { functionName: string; captured: Pointer[]; outputs: O[] } | undefined;
  private running: Promise<unknown> | undefined;

  /** @internal */
  constructor(
    private readonly engine: Engine,
    readonly definition: StepDefinition<I, O>,
  ) {
    if (definition.executor !== 'eager') this.compiled = this.trace();
  }

  /**
   * Executes the step. The event loop stays free (but for the executor `eager`).
   * @param values every declared input, in its declared shape
   * @returns a copy of every output, in C order
   * @throws UnimissError 'engine' for a missing, unknown or ill-shaped input, for a second call during the first, and with TensorFlow's words
   */
  async run(values: Record<I, StepValue>): Promise<Record<O, Float32Array>> {
    this.check(values);
    if (this.running) throw new UnimissError('engine', 'the step is still running', { place: this.definition.name });
    const run = this.compiled ? this.execute(values) : Promise.resolve().then(() => this.executeEagerly(values));
    this.running = run;
    try {
      return await run;
    } finally {
      this.running = undefined;
    }
  }

  /** Frees the function and its hold on captured tensors. Wait for `run` first. */
  dispose(): void {
    if (this.running)
      throw new UnimissError('engine', 'a running step cannot be disposed', { place: this.definition.name });
    if (!this.compiled) return;
    const { c, context, status } = this.engine;
    for (const handle of this.compiled.captured) c.TFE_DeleteTensorHandle(handle);
    c.TFE_ContextRemoveFunction(context, this.compiled.functionName, status);
    checkStatus(c, status, () => this.definition.name);
    this.compiled = undefined;
  }

  private trace(): { functionName: string; captured: Pointer[]; outputs: O[] } {
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
          const tensors = Object.entries(definition.body(inputs as Record<I, Tensor>)) as [O, Tensor][];
          results = tensors.map(([name, tensor]) => [name, binding.nodeOf(trace, engine.ids([tensor])[0] as number)]);
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
          checkStatus(c, status, () => definition.name);
        }
        c.TFE_ContextAddFunction(context, f, status);
        checkStatus(c, status, () => definition.name);
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

  private async execute(values: Record<I, StepValue>): Promise<Record<O, Float32Array>> {
    const { engine, definition } = this;
    const { c, context } = engine;
    const { functionName, captured, outputs } = this.compiled as NonNullable<typeof this.compiled>;
    const status = c.TF_NewStatus() as Pointer; // its own: other ops may run meanwhile
    const place = () => `step ${definition.name}`;
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
      await new Promise<void>((resolve, reject) => {
        c.TFE_Execute.async(op, results, count, status, (error: unknown) => (error ? reject(error) : resolve()));
      });
      checkStatus(c, status, place);
      return this.readOutputs(outputs, results, status);
    } finally {
      for (const handle of fed) c.TFE_DeleteTensorHandle(handle);
      if (op) c.TFE_DeleteOp(op);
      c.TF_DeleteStatus(status);
    }
  }

  private readOutputs(outputs: readonly O[], handles: BigUint64Array, status: Pointer): Record<O, Float32Array> {
    const { c } = this.engine;
    const result: Partial<Record<O, TensorValues>> = {};
    try {
      outputs.forEach((name, i) => {
        const handle = handles[i] as Pointer;
        const dtype = c.TFE_TensorHandleDataType(handle) as number;
        result[name] = handleValues(c, status, handle, dtype, []);
      });
    } finally {
      for (const handle of handles.subarray(0, outputs.length)) c.TFE_DeleteTensorHandle(handle);
    }
    return result as Record<O, Float32Array>;
  }

  private executeEagerly(values: Record<I, StepValue>): Record<O, Float32Array> {
    const { engine, definition } = this;
    const inputs = this.inputEntries().map(([name, input]) => {
      const value = asArray(values[name]);
      return [name, engine.tensor(value, input.shape)] as const;
    });
    try {
      return withExecutor('eager', () => {
        const outputs = tidy(() => definition.body(Object.fromEntries(inputs) as Record<I, Tensor>));
        const result = Object.fromEntries(Object.entries(outputs).map(([name, t]) => [name, (t as Tensor).dataSync()]));
        dispose(outputs);
        return result as Record<O, Float32Array>;
      });
    } finally {
      for (const [, tensor] of inputs) tensor.dispose();
    }
  }

  private inputEntries(): [I, StepInput][] {
    return Object.entries(this.definition.inputs) as [I, StepInput][];
  }

  private check(values: Record<I, StepValue>): void {
    const { name: step, inputs } = this.definition;
    for (const name of Object.keys(values))
      if (!(name in inputs))
        throw new UnimissError('engine', `"${name}" is no input of this step`, { place: `step ${step}` });
    for (const [name, input] of this.inputEntries()) {
      const value: StepValue | undefined = values[name];
      if (value === undefined)
        throw new UnimissError('engine', `input "${name}" is missing`, { place: `step ${step}` });
      const length = typeof value === 'number' ? 1 : value.length;
      if (length !== sizeOf(input.shape))
        throw new UnimissError(
          'engine',
          `input "${name}" has ${length} values; ${dtypeName(dtypeOf(input))}[${input.shape}] needs ${sizeOf(input.shape)}`,
          {
            place: `step ${step}`,
          },
        );
    }
  }
}

/** AttrValue { b: true } */
const ATTR_TRUE = Uint8Array.from([0x28, 0x01]);

function dtypeOf(input: StepInput): number {
  return DataType[input.dtype ?? 'float32'];
}

function asArray(value: StepValue): Float32Array | Int32Array {
  return typeof value === 'number' ? Float32Array.of(value) : value;
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
