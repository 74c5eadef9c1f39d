import { type DataTypeMap, type Tensor, type DataType as TfjsDType, engine as tfjsEngine } from '@tensorflow/tfjs-core';
import { isList } from './isList.ts';
import './legacyUtil.ts';
import { NodeJSKernelBackend } from '@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js';
import '@tensorflow/tfjs-node-gpu/dist/register_all_kernels.js';
import type { EngineDevice, EnginePrecision } from '../../protocol/config/devices.ts';
import { UnimissError } from '../../protocol/errors.ts';
import type { Attrs } from './attributes.ts';
import { DataType, dtypeName } from './dataType.ts';
import { kernelDTypes } from './kernelAttributes.ts';
import type { KernelBinding } from './kernelBinding.ts';
import type { Device, Platform } from './platform.ts';
import type { Executor } from './stepDefinition.ts';

export interface EngineOptions {
  /** Folder with libtensorflow_cc.so.2 and libtensorflow_framework.so.2; for `pjrt:…` the plugin's file. */
  library: string;
  device: EngineDevice;
  /** Threads for independent ops; default 2. TensorFlow's alone, as the next. */
  interOpThreads?: number;
  /** Threads inside one op; default 2. */
  intraOpThreads?: number;
  /** Libraries to load before the engine's (CUDA), in order; default: none. */
  preload?: readonly string[];
  /**
   * Whether a GPU may round the factors of float32 products to TensorFloat-32: much faster, 10 bits of mantissa. Default: true.
   */
  tensorFloat32?: boolean;
  /**
   * What products multiply. `bfloat16`: their factors are rounded to it; weights, sums, norms and losses stay float32,
   * but results of convolutions are rounded as well. Plugins of PJRT alone. Default: float32.
   */
  precision?: EnginePrecision;
  /** Folder in which a plugin of PJRT keeps compiled steps for later processes. Default: null, none. */
  executables?: string | null;
  /** Receives news for the user. Default: nobody does. */
  notice?: (message: string) => void;
}

/** Options with their defaults. */
export function withDefaults(options: EngineOptions): Required<EngineOptions> {
  const { library, device, interOpThreads = 2, intraOpThreads = 2, preload = [], tensorFloat32 = true } = options;
  const { precision = 'float32', executables = null, notice = () => {} } = options;
  const rest = { tensorFloat32, precision, executables, notice };
  return { library, device, interOpThreads, intraOpThreads, preload: [...preload], ...rest };
}

/** An input of an op: a tensor, or several for a list argument (`args` of _FusedMatMul, `values` of ConcatV2). */
export type RawInput = Tensor | readonly Tensor[];

/**
 * The open engine as variables, steps and ops use it: a platform, and ops by name on tensors of TensorFlow.js. This class imports
 * none of these; `Engine` adds the methods that make them.
 */
export class Session {
  readonly backend: NodeJSKernelBackend;
  private readonly internals: BackendInternals;
  private currentExecutor: Executor = 'eager';

  constructor(
    readonly options: Required<EngineOptions>,
    readonly platform: Platform,
  ) {
    this.backend = new NodeJSKernelBackend(platform.binding, '@tensorflow/tfjs-node-gpu');
    this.internals = this.backend as unknown as BackendInternals;
  }

  get binding(): KernelBinding {
    return this.platform.binding;
  }

  get devices(): readonly Device[] {
    return this.platform.devices;
  }

  /** The executor for which ops are made. */
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

  /** Makes a tensor with a copy of the values. @param shape [] for a scalar */
  tensor(values: Float32Array | Int32Array, shape: readonly number[]): Tensor {
    const dtype = values instanceof Float32Array ? DataType.float32 : DataType.int32;
    return this.wrap({ id: this.binding.createTensor([...shape], dtype, values), shape: [...shape], dtype });
  }

  /** Executes an op by name, or adds it to the step being traced; see `rawOp`. */
  execute(
    type: string,
    inputs: readonly RawInput[],
    attrs: Attrs,
    outputs: number,
    shapes?: readonly (readonly number[])[],
  ): Tensor[] {
    this.platform.checkAttributes(type, attrs);
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

  /** The id of a tensor in the binding. @throws UnimissError 'engine' if it was disposed */
  id(tensor: Tensor): number {
    return this.ids([tensor])[0] as number;
  }

  /** The type of a tensor by our names, even if TensorFlow.js has none for it: float32, bfloat16, … */
  dtypeOf(tensor: Tensor): string {
    return dtypeName(this.binding.get(this.id(tensor)).dtype);
  }

  /**
   * A TensorFlow.js tensor for a value of the binding. If TensorFlow.js lacks the type (bfloat16, float64, a variable's handle,
   * the effect of an op), the tensor calls itself `string`, since nothing in TensorFlow.js calculates with strings. Ops by name
   * use its real type, which `dtypeOf` names.
   */
  wrap(value: { id: number; shape: number[]; dtype: number }): Tensor {
    const dataId = {};
    const { id, shape, dtype } = value;
    this.internals.tensorMap.set(dataId, { shape, dtype, id, values: null, refCount: 1 });
    const label = kernelDTypes.get(dtype);
    const info = { dataId, shape, dtype: label ?? 'string' };
    const tensor: Tensor = tfjsEngine().makeTensorFromTensorInfo(info);
    if (!label) tensor.dataSync = <D extends TfjsDType>() => this.binding.tensorDataSync(id) as DataTypeMap[D];
    return tensor;
  }

  private ids(tensors: readonly Tensor[]): number[] {
    for (const t of tensors)
      if (t.isDisposed)
        throw new UnimissError('engine', `this tensor was disposed: ${t.dtype}[${t.shape}]`, { place: 'engine' });
    return this.internals.getInputTensorIds([...tensors]);
  }
}

/** The parts of the backend that ops by name need besides its kernels; its declarations call them private. */
interface BackendInternals {
  getInputTensorIds(tensors: Tensor[]): number[];
  tensorMap: {
    set(dataId: object, value: { shape: number[]; dtype: number; id: number; values: null; refCount: number }): void;
  };
}
