import type { EngineDevice } from '../../../protocol/config/devices.ts';
import type { XlaFlags } from './compileOptions.ts';
import type { NamedValues } from './namedValues.ts';

/** What a plugin is told for its devices. */
export interface DeviceOptions {
  /** Options of its client. */
  readonly client: NamedValues;
  /** Options of XLA for every executable. */
  readonly flags: XlaFlags;
}

/** XLA's client for GPUs would take three quarters of the card at once. */
const gpuClient: NamedValues = { preallocate: false };

/**
 * A run that is resumed shall continue bit for bit: kernels that add in any order are excluded. Which of the others is fastest is
 * measured when a step is compiled; the executable is kept, so that the same ones are used again (executables.ts).
 */
const gpuFlags: XlaFlags = { xla_gpu_exclude_nondeterministic_ops: true };

const options: Partial<Record<EngineDevice, DeviceOptions>> = {
  // Without oneDNN, XLA's convolutions in 3D are 10 to 20 times slower on processors.
  'pjrt:cpu': { client: {}, flags: { xla_cpu_experimental_onednn_custom_call: true } },
  'pjrt:cuda': { client: gpuClient, flags: gpuFlags },
  'pjrt:rocm': { client: gpuClient, flags: gpuFlags },
};

/** Options for a device; none for plugins whose options nobody has tried. */
export function optionsFor(device: EngineDevice): DeviceOptions {
  return options[device] ?? { client: {}, flags: {} };
}
