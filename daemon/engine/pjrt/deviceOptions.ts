import type { EngineDevice } from '../../../protocol/config/devices.ts';
import type { XlaFlags } from './compileOptions.ts';
import type { NamedValues } from './namedValues.ts';

/** Options of a plugin for a device. */
export interface DeviceOptions {
  /** Of its client. */
  readonly client: NamedValues;
  /** Of XLA for a module. */
  flags(module: string): XlaFlags;
}

/** XLA's client for GPUs would take three quarters of the card at once. */
const gpuClient: NamedValues = { preallocate: false };

/**
 * A run that is resumed shall continue bit for bit: kernels that add in any order are excluded. Which of the others is fastest is
 * measured when a step is compiled; the executable is kept, so that the same ones are used again (executables.ts).
 */
const gpuFlags = (): XlaFlags => ({ xla_gpu_exclude_nondeterministic_ops: true });

const ONEDNN = 'xla_cpu_experimental_onednn_custom_call';

/** Without oneDNN, XLA's convolutions in 3D are 10 to 20 times slower on processors. In 2D it brings nothing. */
function cpuFlags(module: string): XlaFlags {
  return /\[[bf], 0, 1, 2, [fb]\]x/.test(module) ? { [ONEDNN]: true } : {};
}

/** Whether executables can be kept as bytes: XLA ends the process when it writes one that calls oneDNN. */
export function canBeKept(flags: XlaFlags): boolean {
  return flags[ONEDNN] !== true;
}

const options: Partial<Record<EngineDevice, DeviceOptions>> = {
  'pjrt:cpu': { client: {}, flags: cpuFlags },
  'pjrt:cuda': { client: gpuClient, flags: gpuFlags },
  'pjrt:rocm': { client: gpuClient, flags: gpuFlags },
};

/** Options for a device; none for plugins whose options nobody has tried. */
export function optionsFor(device: EngineDevice): DeviceOptions {
  return options[device] ?? { client: {}, flags: () => ({}) };
}
