import { type Tensor, tidy } from '@tensorflow/tfjs-core';
import { DataType, dtypeName } from '../dataType.ts';
import type { Session } from '../session.ts';
import {
  asArray,
  dtypeOf,
  inputsOf,
  outputsOf,
  placeOf,
  refusal,
  type StepDefinition,
  type StepValue,
} from '../stepDefinition.ts';
import { forbiddingRandomness, type NodeOutput, Trace } from '../trace.ts';
import { callAsync, type Pointer } from './cApi.ts';
import { TensorFlowGraph } from './graphWriter.ts';
import { checkStatus } from './status.ts';
import { newHandle, type TensorValues, tensorValues } from './tensors.ts';

/** A step's body as one function of TensorFlow: traced once, then executed by a single call. */
export class TracedFunction<I extends string, O extends string> {
  private constructor(
    private readonly session: Session,
    private readonly definition: StepDefinition<I, O>,
    private readonly name: string,
    /** Handles on the eager tensors in the trace: inputs of the function, after the declared ones. */
    private readonly captured: readonly Pointer[],
    private readonly outputs: readonly O[],
  ) {}

  /** Traces the body with placeholders and turns the trace into a function. The executor `xla` compiles it at its first call. */
  static of<I extends string, O extends string>(
    session: Session,
    definition: StepDefinition<I, O>,
  ): TracedFunction<I, O> {
    const { c, context, status, binding } = session;
    const place = () => placeOf(definition);
    const trace = new Trace(new TensorFlowGraph(c, status, definition.name), definition.name);
    const name = session.uniqueName('step', definition.name).replace(/[^A-Za-z0-9_]/g, '_');
    let captured: Pointer[] = [];
    try {
      const traced = binding.tracing(trace, () => nodesOf(session, definition, trace));
      captured = traced.captured;
      const f = trace.finish(
        name,
        traced.result.map(([, node]) => node),
      );
      try {
        if (definition.executor === 'xla') {
          c.TF_FunctionSetAttrValueProto(f, '_XlaMustCompile', ATTR_TRUE, ATTR_TRUE.length, status);
          checkStatus(c, status, place);
        }
        c.TFE_ContextAddFunction(context, f, status);
        checkStatus(c, status, place);
      } finally {
        c.TF_DeleteFunction(f);
      }
      const outputs = traced.result.map(([output]) => output);
      return new TracedFunction(session, definition, name, captured, outputs);
    } catch (error) {
      for (const handle of captured) c.TFE_DeleteTensorHandle(handle);
      trace.dispose();
      throw error;
    }
  }

  /** Executes the function on another thread. The values are copied before this returns its promise. */
  async execute(values: Record<I, StepValue>): Promise<Record<O, Float32Array>> {
    const { session, definition, outputs } = this;
    const { c, context } = session;
    const status = c.TF_NewStatus() as Pointer; // a separate status: other ops may run meanwhile
    const place = () => placeOf(definition);
    const fed: Pointer[] = [];
    let op: Pointer | undefined;
    try {
      for (const [name, input] of inputsOf(definition))
        fed.push(newHandle(c, status, dtypeOf(input), input.shape, asArray(values[name])));
      op = c.TFE_NewOp(context, this.name, status) as Pointer;
      checkStatus(c, status, place);
      for (const handle of [...fed, ...this.captured]) c.TFE_OpAddInput(op, handle, status);
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
      // Reading `count` here keeps it alive until now, since koffi holds no reference to memory that C writes.
      return await this.readOutputs(results.subarray(0, count[0]), status);
    } finally {
      for (const handle of fed) c.TFE_DeleteTensorHandle(handle);
      if (op) c.TFE_DeleteOp(op);
      c.TF_DeleteStatus(status);
    }
  }

  /** Frees the function and its hold on captured tensors. */
  dispose(): void {
    const { c, context, status } = this.session;
    for (const handle of this.captured) c.TFE_DeleteTensorHandle(handle);
    c.TFE_ContextRemoveFunction(context, this.name, status);
    checkStatus(c, status, () => placeOf(this.definition));
  }

  /** Waits on another thread: on a GPU the kernels are still running when TFE_Execute returns. */
  private async readOutputs(handles: BigUint64Array, status: Pointer): Promise<Record<O, Float32Array>> {
    const { c } = this.session;
    const result: Partial<Record<O, TensorValues>> = {};
    try {
      for (const [i, name] of this.outputs.entries()) {
        const handle = handles[i] as Pointer;
        const tensor = await callAsync<Pointer>(c.TFE_TensorHandleResolve, handle, status);
        checkStatus(c, status, () => `output "${name}" of ${placeOf(this.definition)}`);
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
}

/** AttrValue { b: true } */
const ATTR_TRUE = Uint8Array.from([0x28, 0x01]);

/** Runs the body inside the trace. @returns the nodes of its outputs, by name */
function nodesOf<I extends string, O extends string>(
  session: Session,
  definition: StepDefinition<I, O>,
  trace: Trace,
): [O, NodeOutput][] {
  const { binding } = session;
  const parameters = inputsOf(definition).map(
    ([name, input]) => [name, trace.parameter(dtypeOf(input), input.shape)] as const,
  );
  let nodes: [O, NodeOutput][] = [];
  const body = () => {
    const inputs = parameters.map(([name, node]) => [name, session.wrap(binding.adoptNode(node))] as const);
    nodes = outputsOf(definition, Object.fromEntries(inputs) as Record<I, Tensor>).map(([name, tensor]) => {
      const node = binding.nodeOf(trace, session.id(tensor));
      checkReadable(definition, name, node);
      return [name, node];
    });
  };
  forbiddingRandomness(definition.name, () => session.withExecutor(definition.executor, () => tidy(body)));
  return nodes;
}

const readableTypes = new Set<number>([
  DataType.float32,
  DataType.float64,
  DataType.int32,
  DataType.int64,
  DataType.uint8,
  DataType.bool,
]);

/** Refuses an unreadable output now: after a run, the step would already have had its effects. */
function checkReadable(definition: Pick<StepDefinition, 'name'>, output: string, { dtype, shape }: NodeOutput): void {
  if (readableTypes.has(dtype)) return;
  throw refusal(
    definition,
    dtype === 0
      ? `output "${output}" is the effect of an op, not a value`
      : `output "${output}" is ${dtypeName(dtype)}[${shape}], which cannot be read; cast it first`,
  );
}
