import type { TracedStep } from '../platform.ts';
import { asArray, dtypeOf, inputsOf, placeOf, type StepDefinition, type StepValue } from '../stepDefinition.ts';
import type { TensorValues } from '../tensorValues.ts';
import { Trace } from '../trace.ts';
import { type Tracer, traceBody } from '../traceBody.ts';
import { callAsync, type Pointer } from './cApi.ts';
import { Captures } from './captures.ts';
import { TensorFlowGraph } from './graphWriter.ts';
import type { OpenedTensorFlow } from './opened.ts';
import { checkStatus } from './status.ts';
import { newHandle, tensorValues } from './tensors.ts';

/** A step's body as one function of TensorFlow: traced once, then executed by a single call. */
export class TracedFunction<I extends string, O extends string> implements TracedStep<I, O> {
  private constructor(
    private readonly platform: OpenedTensorFlow,
    private readonly definition: StepDefinition<I, O>,
    private readonly name: string,
    /** Handles on the eager tensors in the trace: inputs of the function, after the declared ones. */
    private readonly captured: readonly Pointer[],
    private readonly outputs: readonly O[],
  ) {}

  /** Traces the body with placeholders and turns the trace into a function. The executor `xla` compiles it at its first call. */
  static of<I extends string, O extends string>(
    session: Tracer,
    platform: OpenedTensorFlow,
    definition: StepDefinition<I, O>,
  ): TracedFunction<I, O> {
    const { c, context, status, binding } = platform;
    const place = () => placeOf(definition);
    const trace = new Trace(new TensorFlowGraph(c, status, definition.name), definition.name);
    const name = platform.uniqueName('step', definition.name).replace(/[^A-Za-z0-9_]/g, '_');
    const captures = new Captures(c, status, trace);
    let traced = false;
    try {
      const nodes = binding.tracing(trace, captures, () => traceBody(session, definition, trace));
      traced = true;
      const f = trace.finish(
        name,
        nodes.map(([, node]) => node),
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
      const outputs = nodes.map(([output]) => output);
      return new TracedFunction(platform, definition, name, captures.captured, outputs);
    } catch (error) {
      if (traced) captures.release();
      trace.dispose();
      throw error;
    }
  }

  /** Executes the function on another thread. The values are copied before this returns its promise. */
  async execute(values: Record<I, StepValue>): Promise<Record<O, Float32Array>> {
    const { definition, outputs } = this;
    const { c, context } = this.platform;
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
    const { c, context, status } = this.platform;
    for (const handle of this.captured) c.TFE_DeleteTensorHandle(handle);
    c.TFE_ContextRemoveFunction(context, this.name, status);
    checkStatus(c, status, () => placeOf(this.definition));
  }

  /** Waits on another thread: on a GPU the kernels are still running when TFE_Execute returns. */
  private async readOutputs(handles: BigUint64Array, status: Pointer): Promise<Record<O, Float32Array>> {
    const { c } = this.platform;
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
