import { basename } from 'node:path';
import { type EngineDevice, processorOf, usesGpu } from '../../../protocol/config/devices.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import type { Attrs } from '../attributes.ts';
import { sizeOf } from '../dataType.ts';
import type { Metadata } from '../kernelBinding.ts';
import { Line } from '../line.ts';
import type { Device, DeviceMemory, Platform, TracedStep, Traits } from '../platform.ts';
import type { EngineOptions } from '../session.ts';
import type { StepDefinition } from '../stepDefinition.ts';
import type { Tracer } from '../traceBody.ts';
import { PjrtBinding } from './binding.ts';
import { PjrtClient } from './client.ts';
import { CompiledModule } from './compiledModule.ts';
import { optionsFor } from './deviceOptions.ts';
import { Executables } from './executables.ts';
import type { FactorType, ProductPrecision } from './lower/builder.ts';
import type { OpenedPjrt } from './opened.ts';
import { PjrtError } from './pjrtError.ts';
import { PjrtVariable } from './variable.ts';

/** XLA behind PJRT's C interface, from a plugin. Steps are compiled as one executable each; there are no single ops. */
export class PjrtPlatform implements Platform, OpenedPjrt {
  readonly binding: PjrtBinding;
  readonly devices: readonly Device[];
  readonly traits: Traits;
  readonly executors = ['xla'] as const;
  readonly executables: Executables;
  readonly precision: ProductPrecision;
  readonly factors: FactorType;
  readonly submissions = new Line();
  readonly results = new Line();

  private constructor(
    readonly client: PjrtClient,
    { device, tensorFloat32, precision, executables: folder, notice }: Required<EngineOptions>,
  ) {
    this.precision = tensorFloat32 ? 'DEFAULT' : 'HIGHEST';
    this.factors = precision;
    // XLA fuses by itself.
    const roundsFactors = tensorFloat32 || precision !== 'float32';
    this.traits = { fusedOps: [], proximalDescent: false, roundsFactors, queues: true };
    this.devices = client.devices;
    this.binding = new PjrtBinding(this.version, usesGpu(device));
    this.executables = new Executables(client, optionsFor(device).flags, { folder: folder ?? undefined, notice });
  }

  /** @throws UnimissError 'engine' if the plugin cannot be used */
  static open(options: Required<EngineOptions>): PjrtPlatform {
    const { library, device } = options;
    const client = opened(library, device);
    const found = client.platform.name.toLowerCase();
    const names = device === 'pjrt:oneapi' ? ['oneapi', 'sycl'] : [processorOf(device)]; // XLA calls Intel's GPUs either
    if (!names.includes(found))
      throw new UnimissError('engine', `this plugin of PJRT computes on "${found}", but engine.device is "${device}"`, {
        place: library,
        remedy: 'Set UNIMISS_PJRT to a plugin for the device, or choose the other device.',
      });
    return new PjrtPlatform(client, options);
  }

  get version(): string {
    const { platform, api } = this.client;
    return `PJRT ${api.version} ${platform.title}`.trim();
  }

  get title(): string {
    return `The plugin ${basename(this.client.api.path)} (${this.version})`;
  }

  get memory(): DeviceMemory | undefined {
    return this.client.memory();
  }

  /** The lowering of an op checks them (lower/call.ts). */
  checkAttributes(_type: string, _attrs: Attrs): void {}

  newVariable(name: string, shape: readonly number[]): Metadata {
    return this.binding.adoptVariable(new PjrtVariable(this.client, name, shape, new Float32Array(sizeOf(shape))));
  }

  trace<I extends string, O extends string>(tracer: Tracer, definition: StepDefinition<I, O>): TracedStep<I, O> {
    return CompiledModule.of(tracer, this, definition);
  }
}

/** The client of a plugin. @throws UnimissError 'engine', with the plugin's words if it opens no device */
function opened(library: string, device: EngineDevice): PjrtClient {
  try {
    return PjrtClient.open(library, optionsFor(device).client);
  } catch (cause) {
    if (!(cause instanceof PjrtError)) throw cause;
    throw new UnimissError('engine', `this plugin of PJRT opens no device: ${cause.words}`, {
      place: library,
      remedy: 'Run "unimiss engine doctor", which shows driver and plugins, or choose another engine.device.',
      cause,
    });
  }
}
