import { type Tensor, type DataType as TfjsDType, engine as tfjsEngine } from '@tensorflow/tfjs-core';
import './tensorflow/legacyUtil.ts';
import { NodeJSKernelBackend } from '@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js';
import '@tensorflow/tfjs-node-gpu/dist/register_all_kernels.js';
import { UnimissError } from '../../protocol/errors.ts';
import type { Attrs } from './attributes.ts';
import { DataType } from './dataType.ts';
import type { Executor } from './stepDefinition.ts';
import { Binding } from './tensorflow/binding.ts';
import { type CApi, loadCApi, type Pointer } from './tensorflow/cApi.ts';
import { type Device, listDevices, newContext } from './tensorflow/context.ts';
import { checkStatus } from './tensorflow/status.ts';

export interface EngineOptions {
  /** Folder with libtensorflow_cc.so.2 and libtensorflow_framework.so.2. */
  library: string;
  device: 'cpu' | 'cuda';
  /** Threads for independent ops; 2 by default. */
  interOpThreads?: number;
  /** Threads inside one op; 2 by default. */
  intraOpThreads?: number;
  /** Libraries to load before TensorFlow's (CUDA), in order. */
  preload?: readonly string[];
  /** Whether a GPU may round the factors of float32 products to TensorFloat-32: much faster, 10 bits of mantissa. TensorFlow's default: yes. */
  tensorFloat32?: boolean;
}

/** An input of an op: a tensor, or several for a list argument (`args` of _FusedMatMul, `values` of ConcatV2). */
export type RawInput = Tensor | readonly Tensor[];

/**
 * TensorFlow in this process, as variables, steps and ops see it: its context, and ops by name on tensors of TensorFlow.js.
 * It knows none of them; `Engine` adds what makes them.
 */
export class Session {
  readonly c: CApi;
  readonly context: Pointer;
  readonly status: Pointer;
  readonly binding: Binding;
  readonly backend: NodeJSKernelBackend;
  readonly devices: readonly Device[];
  readonly options: EngineOptions & { interOpThreads: number; intraOpThreads: number };
  private readonly internals: BackendInternals;
  private readonly knownAttrs = new Set<string>();
  private currentExecutor: Executor = 'eager';
  private names = 0;

  constructor(options: EngineOptions) {
    this.options = {
      ...options,
      interOpThreads: options.interOpThreads ?? 2,
      intraOpThreads: options.intraOpThreads ?? 2,
    };
    this.c = loadCApi(options.library, options.preload);
    this.status = this.c.TF_NewStatus() as Pointer;
    this.context = newContext(this.c, this.status, this.options);
    this.devices = listDevices(this.c, this.status, this.context);
    const gpu = this.devices.some((d) => d.type === 'GPU');
    if (options.device === 'cuda' && !gpu) {
      this.c.TFE_DeleteContext(this.context);
      throw new UnimissError('engine', 'TensorFlow sees no GPU', {
        place: options.library,
        remedy: 'Run "unimiss engine doctor" to see what was found, or set engine.device to "cpu".',
      });
    }
    if (options.tensorFloat32 !== undefined) this.c.setTensorFloat32(options.tensorFloat32);
    this.binding = new Binding(this.c, this.context, this.status, gpu);
    this.backend = new NodeJSKernelBackend(this.binding, '@tensorflow/tfjs-node-gpu');
    this.internals = this.backend as unknown as BackendInternals;
  }

  /** The executor that ops are being made for. */
  get executor(): Executor {
    return this.currentExecutor;
  }

  /** Runs `body`, whose ops are made for `executor`. */
  withExecutor<T>(executor: Executor, body: () => T): T {
    const before = this.currentExecutor;
    this.currentExecutor = executor;
    try {
      return body();
    } finally {
      this.currentExecutor = before;
    }
  }

  /** A name that no other variable or function of this process has. */
  uniqueName(prefix: string, name: string): string {
    return `${prefix}${this.names++}/${name}`;
  }

  /** A tensor with a copy of the values. @param shape [] for a scalar */
  tensor(values: Float32Array | Int32Array, shape: readonly number[]): Tensor {
    const dtype = values instanceof Float32Array ? DataType.float32 : DataType.int32;
    return this.wrap({ id: this.binding.createTensor([...shape], dtype, values), shape: [...shape], dtype });
  }

  /** Executes an op by name, or adds it to the step that is being traced; see `rawOp`. */
  execute(
    type: string,
    inputs: readonly RawInput[],
    attrs: Attrs,
    outputs: number,
    shapes?: readonly (readonly number[])[],
  ): Tensor[] {
    this.checkAttrs(type, attrs);
    const ids = inputs.map((input) => (isList(input) ? this.ids(input) : this.id(input)));
    return this.binding.execute(type, ids, attrs, outputs, shapes).map((m) => this.wrap(m));
  }

  /** Runs `body`; in a trace, its ops wait for `after`. See `controlled`. */
  controlled<T>(after: readonly Tensor[], body: () => T): T {
    const trace = this.binding.currentTrace;
    if (!trace) return body();
    return trace.controlled(
      this.ids(after).map((id) => this.binding.nodeOf(trace, id)),
      body,
    );
  }

  /** The id of a tensor in the binding. @throws UnimissError 'engine' when it was disposed */
  id(tensor: Tensor): number {
    return this.ids([tensor])[0] as number;
  }

  /** A TensorFlow.js tensor for a value of the binding; types that TensorFlow.js lacks are labelled with the nearest. */
  wrap(value: { id: number; shape: number[]; dtype: number }): Tensor {
    const dataId = {};
    const { id, shape, dtype } = value;
    this.internals.tensorMap.set(dataId, { shape, dtype, id, values: null, refCount: 1 });
    return tfjsEngine().makeTensorFromTensorInfo({
      dataId,
      shape,
      dtype: tfjsDTypes.get(dtype) ?? 'float32',
    }) as Tensor;
  }

  private ids(tensors: readonly Tensor[]): number[] {
    for (const t of tensors)
      if (t.isDisposed)
        throw new UnimissError('engine', `this tensor was disposed: ${t.dtype}[${t.shape}]`, { place: 'engine' });
    return this.internals.getInputTensorIds([...tensors]);
  }

  /** TensorFlow ignores an attribute that the op does not have, so a misspelt one would go unnoticed. */
  private checkAttrs(type: string, attrs: Attrs): void {
    const { c, context, status } = this;
    for (const name of Object.keys(attrs)) {
      const key = `${type} ${name}`;
      if (name.startsWith('_') || this.knownAttrs.has(key)) continue;
      c.TFE_OpNameGetAttrType(context, type, name, new Uint8Array(1), status);
      checkStatus(c, status, () => `attribute ${name} of ${type}`);
      this.knownAttrs.add(key);
    }
  }
}

function isList(input: RawInput): input is readonly Tensor[] {
  return Array.isArray(input);
}

/** What ops by name need of the backend beside its kernels; its declarations call these private. */
interface BackendInternals {
  getInputTensorIds(tensors: Tensor[]): number[];
  tensorMap: {
    set(dataId: object, value: { shape: number[]; dtype: number; id: number; values: null; refCount: number }): void;
  };
}

const tfjsDTypes = new Map<number, TfjsDType>([
  [DataType.float32, 'float32'],
  [DataType.int32, 'int32'],
  [DataType.int64, 'int32'],
  [DataType.uint8, 'int32'],
  [DataType.bool, 'bool'],
  [DataType.complex64, 'complex64'],
  [DataType.string, 'string'],
  [DataType.resource, 'string'],
]);
