import type { TensorMetadata, TFEOpAttr, TFJSBinding } from '@tensorflow/tfjs-node-gpu/dist/tfjs_binding';
import { UnimissError } from '../../protocol/errors.ts';
import type { Attr, Attrs } from './attributes.ts';
import { DataType, dtypeName, sizeOf } from './dataType.ts';
import { AttrKind, fromKernelAttr, kernelDTypes, OpAttr } from './kernelAttributes.ts';
import type { TensorValues } from './tensorValues.ts';
import { describeCall, type NodeInput, type NodeOutput, type Trace } from './trace.ts';

/** A tensor that has values now. `madeIn` is the trace in which JavaScript made it from values. */
export interface EagerTensor {
  readonly dtype: number;
  readonly shape: number[];
  readonly madeIn?: Trace;
}

/** Makes nodes of the eager tensors that a trace uses. */
export interface CaptureSink<E extends EagerTensor> {
  /** The node for a tensor, the same in each call. @param id the tensor's id in the binding */
  placeholderFor(id: number, value: E): NodeOutput;
  /** Frees what was captured, for a trace that failed. */
  release(): void;
}

/** One input of an op: the id of a tensor, or several for an op's list argument. */
export type OpInput = number | readonly number[];

/** An op to add to a trace; as for `execute`. */
interface OpCall {
  readonly type: string;
  readonly inputs: readonly OpInput[];
  readonly attrs: Attrs;
  readonly outputs: number;
  readonly shapes?: readonly (readonly number[])[];
}

/** Largest number of elements of a constant: graphs are copied many times before their first execution. */
const LARGEST_CONSTANT = 16_384;

/** Whether a tensor becomes a constant of the trace: small ones that the step's body made from values do. */
export function isSmallConstant({ madeIn, shape }: EagerTensor, trace: Trace): boolean {
  return madeIn === trace && sizeOf(shape) <= LARGEST_CONSTANT;
}

/**
 * The native half of `@tensorflow/tfjs-node-gpu`, on which its kernels depend, for any engine. Inside a trace, an op becomes a
 * node of the trace's graph; outside, the engine executes it at once. JavaScript refers to tensors by small integers.
 */
export abstract class KernelBinding<E extends EagerTensor = EagerTensor> implements TFJSBinding {
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
  abstract readonly TF_Version: string;

  private readonly values = new Map<number, E | NodeOutput>();
  private nextId = 1;
  private trace: Trace | undefined;
  /** The eager tensors that the trace uses. */
  private captures: CaptureSink<E> | undefined;

  /** Makes a tensor with a copy of the values. */
  protected abstract makeEager(dtype: number, shape: number[], values: TensorValues | number[]): E;
  protected abstract freeEager(value: E): void;
  /** A copy of a tensor's values. */
  protected abstract readEager(value: E): TensorValues;
  /** Executes an op at once. @param outputs number of results to return; 0 for an op that only has an effect */
  protected abstract executeEager(
    type: string,
    inputs: readonly OpInput[],
    attrs: Attrs,
    outputs: number,
  ): TensorMetadata[];
  abstract isUsingGpuDevice(): boolean;

  createTensor(shape: number[], dtype: number, values: TensorValues | number[]): number {
    return this.add({ ...this.makeEager(dtype, [...shape], values), ...(this.trace && { madeIn: this.trace }) });
  }

  deleteTensor(id: number): void {
    const value = this.get(id);
    this.values.delete(id);
    if (!isNode(value)) this.freeEager(value);
  }

  /** @throws UnimissError 'engine' for a tensor of a trace: it has no value yet */
  tensorDataSync(id: number): Float32Array | Int32Array | Uint8Array {
    const value = this.get(id);
    if (isNode(value))
      throw new UnimissError('engine', 'a tensor cannot be read while its step is being traced: it has no value yet', {
        place: `${dtypeName(value.dtype)}[${value.shape}] in step ${value.trace.name}`,
        remedy: 'Return it as an output of the step and read it there.',
      });
    return this.readEager(value) as Float32Array;
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
    if (this.trace) return this.addNode(this.trace, { type, inputs, attrs, outputs, ...(shapes && { shapes }) });
    return this.executeEager(type, inputs, attrs, outputs);
  }

  /** Registers a tensor that the engine made. */
  adoptEager(value: E): Metadata {
    return new Metadata(this.add(value), value.shape, value.dtype);
  }

  /** Registers a node of a trace. */
  adoptNode(node: NodeOutput): Metadata {
    return new Metadata(this.add(node), node.shape, node.dtype);
  }

  /** The value behind an id. @throws UnimissError 'engine' if it was disposed */
  get(id: number): E | NodeOutput {
    const value = this.values.get(id);
    if (!value) throw new UnimissError('engine', `tensor ${id} was disposed`, { place: 'engine' });
    return value;
  }

  /**
   * While `body` runs, ops become nodes of `trace`. Eager tensors that it uses become nodes by way of `captures`: inputs of the
   * function, or constants. Frees `captures` if `body` throws.
   */
  tracing<T>(trace: Trace, captures: CaptureSink<E>, body: () => T): T {
    if (this.trace)
      throw new UnimissError('engine', `step ${this.trace.name} is being traced already`, { place: trace.name });
    this.trace = trace;
    this.captures = captures;
    try {
      return body();
    } catch (error) {
      captures.release();
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

  /** The eager tensor behind an id. @param type the op that uses it, for messages */
  protected eager(id: number, type: string): E {
    const value = this.get(id);
    if (isNode(value))
      throw new UnimissError('engine', `a tensor of step ${value.trace.name} is used outside of its trace`, {
        place: type,
      });
    return value;
  }

  private addNode(trace: Trace, { type, inputs, attrs, outputs, shapes }: OpCall): Metadata[] {
    const nodes: NodeInput[] = inputs.map((i) =>
      typeof i === 'number' ? this.nodeOf(trace, i, type) : i.map((id) => this.nodeOf(trace, id, type)),
    );
    return trace.node(type, nodes, attrs, outputs, shapes).map((o) => this.adoptNode(o));
  }

  private add(value: E | NodeOutput): number {
    const id = this.nextId++;
    this.values.set(id, value);
    return id;
  }
}

function isNode(value: EagerTensor | NodeOutput): value is NodeOutput {
  return 'node' in value;
}

export class Metadata {
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
