import { UnimissError } from '../../../protocol/errors.ts';
import type { Attrs } from '../attributes.ts';
import { DataType } from '../dataType.ts';
import type { Metadata } from '../kernelBinding.ts';
import type { Device, Platform, TracedStep, Traits } from '../platform.ts';
import type { EngineOptions } from '../session.ts';
import type { StepDefinition } from '../stepDefinition.ts';
import type { Tracer } from '../traceBody.ts';
import { Binding } from './binding.ts';
import { type CApi, loadCApi, type Pointer } from './cApi.ts';
import { listDevices, newContext } from './context.ts';
import type { OpenedTensorFlow } from './opened.ts';
import { checkStatus } from './status.ts';
import { TracedFunction } from './tracedFunction.ts';

/** TensorFlow in this process, through its C API. */
export class TensorFlowPlatform implements Platform, OpenedTensorFlow {
  readonly c: CApi;
  readonly context: Pointer;
  readonly status: Pointer;
  readonly binding: Binding;
  readonly devices: readonly Device[];
  readonly traits: Traits;
  readonly executors = ['graph', 'xla'] as const;
  private readonly knownAttrs = new Set<string>();
  private names = 0;

  /** @throws UnimissError 'engine' if TensorFlow cannot be loaded, or if a GPU is requested and none is usable */
  constructor(options: Required<EngineOptions>) {
    const { library, device, preload, tensorFloat32 } = options;
    this.c = loadCApi(library, preload);
    this.status = this.c.TF_NewStatus() as Pointer;
    this.context = newContext(this.c, this.status, options);
    this.devices = listDevices(this.c, this.status, this.context);
    const gpu = this.devices.some((d) => d.type === 'GPU');
    if (device === 'cuda' && !gpu) {
      this.c.TFE_DeleteContext(this.context);
      throw new UnimissError('engine', 'TensorFlow sees no GPU', {
        place: library,
        remedy: 'Run "unimiss engine doctor" to see what was found, or set engine.device to "cpu".',
      });
    }
    if (!tensorFloat32) this.c.setTensorFloat32(false);
    this.binding = new Binding(this.c, this.context, this.status, gpu);
    this.traits = {
      fusedOps: device === 'cpu' && process.arch === 'x64' ? ['graph'] : [], // XLA fuses by itself
      proximalDescent: device === 'cpu', // TensorFlow has this kernel only for CPUs
      roundsFactors: false,
      queues: false,
    };
  }

  get version(): string {
    return this.binding.TF_Version;
  }

  /** TensorFlow ignores an attribute that the op does not have, so a misspelt one would go unnoticed. */
  checkAttributes(type: string, attrs: Attrs): void {
    const { c, context, status } = this;
    for (const name of Object.keys(attrs)) {
      const key = `${type} ${name}`;
      if (name.startsWith('_') || this.knownAttrs.has(key)) continue;
      c.TFE_OpNameGetAttrType(context, type, name, new Uint8Array(1), status);
      checkStatus(c, status, () => `attribute ${name} of ${type}`);
      this.knownAttrs.add(key);
    }
  }

  newVariable(name: string, shape: readonly number[]): Metadata {
    const { binding } = this;
    const [handle] = binding.execute(
      'VarHandleOp',
      [],
      {
        dtype: { type: 'float32' },
        shape: { shape },
        shared_name: { string: this.uniqueName('v', name) },
        container: { string: '' },
      },
      1,
    ) as [Metadata];
    const dims = binding.createTensor([shape.length], DataType.int32, Int32Array.from(shape));
    const zero = binding.createTensor([], DataType.float32, new Float32Array(1));
    const [zeros] = binding.execute('Fill', [dims, zero], {}, 1) as [Metadata];
    binding.execute('AssignVariableOp', [handle.id, zeros.id], { dtype: { type: 'float32' } }, 0);
    for (const id of [dims, zero, zeros.id]) binding.deleteTensor(id);
    return handle;
  }

  get title(): string {
    return `TensorFlow ${this.version}`;
  }

  trace<I extends string, O extends string>(tracer: Tracer, definition: StepDefinition<I, O>): TracedStep<I, O> {
    return TracedFunction.of(tracer, this, definition);
  }

  /** A name that no other variable or function of this process has. */
  uniqueName(prefix: string, name: string): string {
    return `${prefix}${this.names++}/${name}`;
  }
}
