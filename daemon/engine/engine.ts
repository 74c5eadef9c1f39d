import {
  keep,
  registerBackend,
  setBackend,
  type Tensor,
  type DataType as TfjsDType,
  engine as tfjsEngine,
} from '@tensorflow/tfjs-core';
import './tensorflow/legacyUtil.ts';
import { NodeJSKernelBackend } from '@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js';
import '@tensorflow/tfjs-node-gpu/dist/register_all_kernels.js';
import { UnimissError } from '../../protocol/errors.ts';
import { openedEngine, setCurrentEngine } from './current.ts';
import type { RawInput } from './rawOp.ts';
import { CompiledStep } from './step.ts';
import type { StepDefinition } from './stepDefinition.ts';
import type { Attrs } from './tensorflow/attributes.ts';
import { Binding } from './tensorflow/binding.ts';
import { type CApi, DataType, loadCApi, type Pointer } from './tensorflow/cApi.ts';
import { type Device, listDevices, newContext } from './tensorflow/context.ts';
import { checkStatus } from './tensorflow/status.ts';
import { Variable } from './variable.ts';

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

/** The kernels look their backend up by this name. */
const BACKEND = 'tensorflow';

/**
 * Loads TensorFlow and makes it the backend of TensorFlow.js. One engine a process: TensorFlow cannot be unloaded.
 * @returns the open engine where the same is asked for again
 * @throws UnimissError 'engine' when TensorFlow cannot be loaded, a different second engine is asked for, or a GPU is asked for and
 * none is usable (an engine on the CPU can be opened then)
 */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const current = openedEngine();
  if (current) {
    const { library, device, interOpThreads, intraOpThreads } = current.options;
    const same =
      library === options.library &&
      device === options.device &&
      interOpThreads === (options.interOpThreads ?? interOpThreads) &&
      intraOpThreads === (options.intraOpThreads ?? intraOpThreads);
    if (same) return current;
    throw new UnimissError(
      'engine',
      `an engine on ${device} with ${interOpThreads} and ${intraOpThreads} threads is open already; a process has one`,
      { place: options.library, remedy: 'Start another process for another engine.' },
    );
  }
  const engine = new Engine(options);
  setCurrentEngine(engine);
  registerBackend(BACKEND, () => engine.backend, 3);
  await setBackend(BACKEND);
  return engine;
}

/** TensorFlow in this process: tensors, variables, ops and compiled steps. */
export class Engine {
  readonly c: CApi;
  readonly context: Pointer;
  readonly status: Pointer;
  readonly binding: Binding;
  readonly backend: NodeJSKernelBackend;
  private readonly internals: BackendInternals;
  readonly devices: readonly Device[];
  readonly options: EngineOptions & { interOpThreads: number; intraOpThreads: number };
  private names = 0;
  private readonly knownAttrs = new Set<string>();

  /** @internal use `openEngine` */
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
        remedy: 'Run "unimiss engine doctor": it tells what was found; or set engine.device to "cpu".',
      });
    }
    if (options.tensorFloat32 !== undefined) this.c.setTensorFloat32(options.tensorFloat32);
    this.binding = new Binding(this.c, this.context, this.status, gpu);
    this.backend = new NodeJSKernelBackend(this.binding, '@tensorflow/tfjs-node-gpu');
    this.internals = this.backend as unknown as BackendInternals;
  }

  /** TensorFlow's version, such as 2.21.0. */
  get version(): string {
    return this.binding.TF_Version;
  }

  /** A tensor with a copy of the values. @param shape [] for a scalar */
  tensor(values: Float32Array | Int32Array, shape: readonly number[]): Tensor {
    const dtype = values instanceof Float32Array ? DataType.float32 : DataType.int32;
    return this.wrap({ id: this.binding.createTensor([...shape], dtype, values), shape: [...shape], dtype });
  }

  /**
   * A float32 variable in TensorFlow's memory.
   * @param name for messages; TensorFlow's own name is made unique
   * @param init values in C order; zeros when left out
   */
  variable(name: string, shape: readonly number[], init?: Float32Array | Tensor): Variable {
    if (this.binding.currentTrace)
      throw new UnimissError('engine', 'a variable cannot be made inside a step', {
        place: `variable ${name} in step ${this.binding.currentTrace.name}`,
        remedy: 'Make it before the step is compiled.',
      });
    const [handle] = this.execute(
      'VarHandleOp',
      [],
      {
        dtype: { type: 'float32' },
        shape: { shape },
        shared_name: { string: `v${this.names++}/${name}` },
        container: { string: '' },
      },
      1,
    ) as [Tensor];
    const variable = new Variable(this, name, shape, keep(handle)); // kept: it outlives a tidy around this call
    if (init) variable.assign(init);
    else this.assignZeros(variable);
    return variable;
  }

  /**
   * Compiles a step: its body is traced once (executor graph or xla) or run anew each time (eager).
   * What changes from call to call must be an input; variables are read and updated in place.
   */
  compile<I extends string, O extends string>(definition: StepDefinition<I, O>): CompiledStep<I, O> {
    return new CompiledStep(this, definition);
  }

  /** @internal see `rawOp` */
  execute(
    type: string,
    inputs: readonly RawInput[],
    attrs: Attrs,
    outputs: number,
    shapes?: readonly (readonly number[])[],
  ): Tensor[] {
    this.checkAttrs(type, attrs);
    const ids = inputs.map((i) => (Array.isArray(i) ? this.ids(i) : (this.ids([i as Tensor])[0] as number)));
    return this.binding.execute(type, ids, attrs, outputs, shapes).map((m) => this.wrap(m));
  }

  /** @internal see `controlled` */
  controlled<T>(after: readonly Tensor[], body: () => T): T {
    const trace = this.binding.currentTrace;
    if (!trace) return body();
    return trace.controlled(
      this.ids(after).map((id) => this.binding.nodeOf(trace, id)),
      body,
    );
  }

  /** @internal ids of tensors in the binding */
  ids(tensors: readonly Tensor[]): number[] {
    for (const t of tensors)
      if (t.isDisposed)
        throw new UnimissError('engine', `this tensor was disposed: ${t.dtype}[${t.shape}]`, { place: 'engine' });
    return this.internals.getInputTensorIds([...tensors]);
  }

  /** @internal a TensorFlow.js tensor for a value of the binding; types that TensorFlow.js lacks are labelled with the nearest */
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

  /** TensorFlow ignores an attribute that the op does not have: a slip of the pen would go unnoticed. */
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

  private assignZeros(variable: Variable): void {
    const dims = this.tensor(Int32Array.from(variable.shape), [variable.shape.length]);
    const zero = this.tensor(new Float32Array(1), []);
    const [zeros] = this.execute('Fill', [dims, zero], {}, 1) as [Tensor];
    variable.assign(zeros);
    for (const t of [dims, zero, zeros]) t.dispose();
  }
}

/** What raw ops need of the backend beside its kernels; its declarations call these private. */
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
