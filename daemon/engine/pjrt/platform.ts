import { basename } from 'node:path';
import { processorOf } from '../../../protocol/config/devices.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import type { Attrs } from '../attributes.ts';
import { sizeOf } from '../dataType.ts';
import type { Metadata } from '../kernelBinding.ts';
import type { Device, DeviceMemory, Platform, TracedStep } from '../platform.ts';
import type { EngineOptions } from '../session.ts';
import type { StepDefinition } from '../stepDefinition.ts';
import type { Tracer } from '../traceBody.ts';
import { PjrtBinding } from './binding.ts';
import { PjrtClient } from './client.ts';
import { CompiledModule } from './compiledModule.ts';
import type { XlaFlags } from './compileOptions.ts';
import type { OpenedPjrt } from './opened.ts';
import { PjrtVariable } from './variable.ts';

/** XLA behind PJRT's C interface, from a plugin. Steps are compiled as one executable each; there are no single ops. */
export class PjrtPlatform implements Platform, OpenedPjrt {
  readonly binding: PjrtBinding;
  readonly devices: readonly Device[];
  readonly traits = { fusedOps: [], proximalDescent: false }; // XLA fuses by itself
  readonly executors = ['xla'] as const;
  /** Options of XLA for every executable. */
  readonly flags: XlaFlags;
  /** The end of the last execution: an executable takes its variables for itself. */
  private last: Promise<unknown> = Promise.resolve();

  private constructor(
    readonly client: PjrtClient,
    /** Of products of float32. */
    readonly precision: 'DEFAULT' | 'HIGHEST',
  ) {
    const cpu = client.platform.name === 'cpu';
    this.devices = client.devices;
    this.binding = new PjrtBinding(this.version, !cpu);
    // Without oneDNN, XLA's convolutions in 3D are 10 to 20 times slower on CPUs.
    this.flags = cpu ? { xla_cpu_experimental_onednn_custom_call: true } : {};
  }

  /** @throws UnimissError 'engine' if the plugin cannot be used */
  static open({ library, device, tensorFloat32 }: Required<EngineOptions>): PjrtPlatform {
    const client = PjrtClient.open(library);
    const found = client.platform.name.toLowerCase();
    if (found !== processorOf(device))
      throw new UnimissError('engine', `this plugin of PJRT computes on "${found}", but engine.device is "${device}"`, {
        place: library,
        remedy: 'Set UNIMISS_PJRT to a plugin for the device, or choose the other device.',
      });
    return new PjrtPlatform(client, tensorFloat32 ? 'DEFAULT' : 'HIGHEST');
  }

  get version(): string {
    const { platform, api } = this.client;
    return `PJRT ${api.version} ${platform.name} ${platform.version}`.trim();
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

  /** Runs `body` when all earlier ones have ended. */
  alone<T>(body: () => Promise<T>): Promise<T> {
    const run = this.last.then(body, body);
    this.last = run.catch(() => undefined); // its caller has the error
    return run;
  }
}
