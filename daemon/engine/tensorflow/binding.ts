import type { TensorMetadata, TFEOpAttr, TFJSBinding } from '@tensorflow/tfjs-node-gpu/dist/tfjs_binding';
import { UnimissError } from '../../../protocol/errors.ts';
import type { Attr, Attrs } from '../attributes.ts';
import { DataType, dtypeName } from '../dataType.ts';
import { describeCall, type NodeInput, type NodeOutput, type Trace } from '../trace.ts';
import type { CApi, Pointer } from './cApi.ts';
import { Captures, type EagerValue } from './captures.ts';
import { AttrKind, fromKernelAttr, kernelDTypes, OpAttr } from './kernelAttributes.ts';
import { setAttribute } from './setAttribute.ts';
import { checkStatus } from './status.ts';
import { describeHandle, handleValues, newHandle, newStringHandle, type TensorValues } from './tensors.ts';

export type Value = EagerValue | NodeOutput;

/** One input of an op: the id of a tensor, or several for an op's list argument. */
export type OpInput = number | readonly number[];

/** Room for unused results: TensorFlow refuses to execute an op with room for fewer results than it has. */
const SPARE_OUTPUTS = 16;

/**
 * Replaces the native half of `@tensorflow/tfjs-node-gpu`, on which its kernels depend, by calls of TensorFlow's C API. Outside a
 * trace, an op executes at once (TFE_Execute); inside, it becomes a node of the trace's graph. JavaScript refers to tensors by
 * small integers.
 */
export class Binding implements TFJSBinding {
  readonly TensorMetadata = Metadata as unknown as typeof TensorMetadata;
  readonly TFEOpAttr = OpAttr as unknown as typeof TFEOpAttr;
  readonly TF_FLOAT = DataType.float32;
  readonly TF_INT32 = DataType.int32;
  readonly TF_INT64 = DataType.int64;
  readonly TF_BOOL = DataType.bool;
  readonly TF_COMPLEX64 = DataType.complex64;
  readonly TF_STRING = DataType.string;
  readonly TF_RESOURCE = DataType.resource;
  readonly TF_UINT8 = DataType.uint8;
  readonly TF_ATTR_STRING = AttrKind.string;
  readonly TF_ATTR_INT = AttrKind.int;
  readonly TF_ATTR_FLOAT = AttrKind.float;
  readonly TF_ATTR_BOOL = AttrKind.bool;
  readonly TF_ATTR_TYPE = AttrKind.type;
  readonly TF_ATTR_SHAPE = AttrKind.shape;
  readonly TF_ATTR_RESOURCE = AttrKind.resource;
  readonly TF_Version: string;

  private readonly values = new Map<number, Value>();
  private nextId = 1;
  private trace: Trace | undefined;
  /** The eager tensors that the trace uses. */
  private captures: Captures | undefined;

  constructor(
    readonly c: CApi,
    readonly context: Pointer,
    readonly status: Pointer,
    private readonly gpu: boolean,
  ) {
    this.TF_Version = c.TF_Version() as string;
  }

  createTensor(shape: number[], dtype: number, values: TensorValues | number[]): number {
    const { c, context, status } = this;
    const handle =
      dtype === DataType.string
        ? newStringHandle(c, context, status, shape, values as Uint8Array[])
        : newHandle(c, status, dtype, shape, values);
    return this.add({ handle, dtype, shape: [...shape], ...(this.trace && { madeIn: this.trace }) });
  }

  deleteTensor(id: number): void {
    const value = this.get(id);
    this.values.delete(id);
    if (!isNode(value)) this.c.TFE_DeleteTensorHandle(value.handle);
  }

  /** @throws UnimissError 'engine' for a tensor of a trace: it has no value yet */
  tensorDataSync(id: number): Float32Array | Int32Array | Uint8Array {
    const value = this.get(id);
    if (isNode(value))
      throw new UnimissError('engine', 'a tensor cannot be read while its step is being traced: it has no value yet', {
        place: `${dtypeName(value.dtype)}[${value.shape}] in step ${value.trace.name}`,
        remedy: 'Return it as an output of the step and read it there.',
      });
    return handleValues(this.c, this.status, value.handle, value.dtype, value.shape) as Float32Array;
  }

  /** Executes an op for a kernel of TensorFlow.js. @throws UnimissError 'engine' for a tensor whose type the kernels do not know */
  executeOp(name: string, attrs: TFEOpAttr[], ids: number[], outputs: number): TensorMetadata[] {
    const foreign = ids
      .map((id) => this.get(id))
      .find(({ dtype }) => !kernelDTypes.has(dtype) && dtype !== DataType.resource);
    if (foreign)
      throw new UnimissError('engine', `TensorFlow.js has no ${dtypeName(foreign.dtype)}`, {
        place: describeCall(
          name,
          ids.map((id) => this.get(id)),
        ),
        remedy: 'Cast the tensor by an op of daemon/engine/ops first.',
      });
    const named: Record<string, Attr> = {};
    for (const a of attrs) named[a.name] = fromKernelAttr(name, a);
    // Ops with the attribute N take a list as first argument (ConcatV2, Pack, AddN, Einsum), which the kernels pass flat.
    const n = named.N && 'int' in named.N ? named.N.int : 0;
    const inputs: OpInput[] = n > 0 ? [ids.slice(0, n), ...ids.slice(n)] : ids;
    if (n > 0) delete named.N; // inferred from the list's length
    return this.execute(name, inputs, named, outputs);
  }

  /**
   * Executes an op, or adds it to the trace.
   * @param outputs number of results to return; 0 for an op that only has an effect (a trace then returns one id, which names the
   *   effect)
   * @param shapes shapes of the outputs if TensorFlow cannot infer them while tracing
   */
  execute(
    type: string,
    inputs: readonly OpInput[],
    attrs: Attrs,
    outputs: number,
    shapes?: readonly (readonly number[])[],
  ): TensorMetadata[] {
    if (this.trace) return this.addNode(this.trace, type, inputs, attrs, outputs, shapes);
    const { c, status } = this;
    const flat = inputs.flat().map((id) => this.eager(id, type));
    const place = () => describeCall(type, flat);
    const op = c.TFE_NewOp(this.context, type, status) as Pointer;
    checkStatus(c, status, place);
    try {
      for (const input of inputs) {
        if (typeof input === 'number') c.TFE_OpAddInput(op, this.eager(input, type).handle, status);
        else
          c.TFE_OpAddInputList(
            op,
            BigUint64Array.from(input, (id) => this.eager(id, type).handle),
            input.length,
            status,
          );
        checkStatus(c, status, place);
      }
      for (const [name, attr] of Object.entries(attrs)) setAttribute(c, 'eager', op, name, attr, status);
      const results = new BigUint64Array(Math.max(outputs, SPARE_OUTPUTS));
      const count = new Int32Array([results.length]);
      c.TFE_Execute(op, results, count, status);
      checkStatus(c, status, place);
      for (const unwanted of results.subarray(outputs, count[0])) c.TFE_DeleteTensorHandle(unwanted);
      return Array.from(results.subarray(0, Math.min(outputs, count[0] as number)), (handle) => this.adopt(handle));
    } finally {
      c.TFE_DeleteOp(op);
    }
  }

  /** Takes over a handle that TensorFlow returned. */
  adopt(handle: Pointer): Metadata {
    const { dtype, shape } = describeHandle(this.c, this.status, handle);
    return new Metadata(this.add({ handle, dtype, shape }), shape, dtype);
  }

  /** Registers a node of a trace. */
  adoptNode(node: NodeOutput): Metadata {
    return new Metadata(this.add(node), node.shape, node.dtype);
  }

  /** The value behind an id. @throws UnimissError 'engine' if it was disposed */
  get(id: number): Value {
    const value = this.values.get(id);
    if (!value) throw new UnimissError('engine', `tensor ${id} was disposed`, { place: 'engine' });
    return value;
  }

  /**
   * While `body` runs, ops become nodes of `trace`. Eager tensors that it uses become inputs of the function, in the order of
   * `captured`. Small tensors that JavaScript makes from values during this become constants.
   * @returns the result of `body`, and handles on the captured tensors, which the caller deletes
   */
  tracing<T>(trace: Trace, body: () => T): { result: T; captured: Pointer[] } {
    if (this.trace)
      throw new UnimissError('engine', `step ${this.trace.name} is being traced already`, { place: trace.name });
    const met = new Captures(this.c, this.status, trace);
    this.trace = trace;
    this.captures = met;
    try {
      return { result: body(), captured: met.captured };
    } catch (error) {
      met.release();
      throw error;
    } finally {
      this.trace = undefined;
      this.captures = undefined;
    }
  }

  get currentTrace(): Trace | undefined {
    return this.trace;
  }

  /** The node of the current trace for a tensor. */
  nodeOf(trace: Trace, id: number, type = 'use'): NodeOutput {
    const value = this.get(id);
    if (isNode(value)) {
      if (value.trace !== trace)
        throw new UnimissError('engine', `a tensor of step ${value.trace.name} is used outside of it`, { place: type });
      return value;
    }
    return this.captures!.placeholderFor(id, value);
  }

  loadSavedModel(): number {
    throw savedModelsRefused();
  }
  deleteSavedModel(): void {
    throw savedModelsRefused();
  }
  runSavedModel(): TensorMetadata[] {
    throw savedModelsRefused();
  }
  getNumOfSavedModels(): number {
    return 0;
  }
  getNumOfTensors(): number {
    return this.values.size;
  }
  isUsingGpuDevice(): boolean {
    return this.gpu;
  }

  private addNode(
    trace: Trace,
    type: string,
    inputs: readonly OpInput[],
    attrs: Attrs,
    outputs: number,
    shapes?: readonly (readonly number[])[],
  ): Metadata[] {
    const nodes: NodeInput[] = inputs.map((i) =>
      typeof i === 'number' ? this.nodeOf(trace, i, type) : i.map((id) => this.nodeOf(trace, id, type)),
    );
    return trace.node(type, nodes, attrs, outputs, shapes).map((o) => this.adoptNode(o));
  }

  private eager(id: number, type: string): EagerValue {
    const value = this.get(id);
    if (isNode(value))
      throw new UnimissError('engine', `a tensor of step ${value.trace.name} is used outside of its trace`, {
        place: type,
      });
    return value;
  }

  private add(value: Value): number {
    const id = this.nextId++;
    this.values.set(id, value);
    return id;
  }
}

function isNode(value: Value): value is NodeOutput {
  return 'node' in value;
}

class Metadata {
  constructor(
    readonly id: number,
    readonly shape: number[],
    readonly dtype: number,
  ) {}
}

function savedModelsRefused(): UnimissError {
  return new UnimissError('engine', 'SavedModels cannot be loaded by this engine', {
    remedy: 'Use safetensors weights.',
  });
}
