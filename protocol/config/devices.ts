/**
 * What steps can be computed on: TensorFlow on the processor or on an NVIDIA GPU, or a plugin of PJRT (XLA) for a processor or for
 * GPUs of NVIDIA, AMD, Intel and Apple.
 */
export const engineDevices = [
  'cpu',
  'cuda',
  'pjrt:cpu',
  'pjrt:cuda',
  'pjrt:rocm',
  'pjrt:oneapi',
  'pjrt:metal',
] as const;
export type EngineDevice = (typeof engineDevices)[number];

/** A device that a plugin of PJRT computes on. */
export type PluginDevice = Extract<EngineDevice, `pjrt:${string}`>;

export function isPluginDevice(device: EngineDevice): device is PluginDevice {
  return device.startsWith('pjrt:');
}

/** The kind of processor, whatever computes on it: `cpu`, `cuda`, … */
export function processorOf(device: EngineDevice): string {
  return device.replace('pjrt:', '');
}

export function usesGpu(device: EngineDevice): boolean {
  return processorOf(device) !== 'cpu';
}

/** Whether UniMiSS can look for GPUs, and choose among them, before the engine is loaded: it asks NVIDIA's driver. */
export function findsGpus(device: EngineDevice): boolean {
  return processorOf(device) === 'cuda';
}

/** What matrix products and convolutions multiply. */
export const enginePrecisions = ['float32', 'bfloat16'] as const;
export type EnginePrecision = (typeof enginePrecisions)[number];
