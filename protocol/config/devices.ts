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

/** The kind of processor, whatever computes on it: `cpu`, `cuda`, … */
export function processorOf(device: EngineDevice): string {
  return device.replace('pjrt:', '');
}

export function usesGpu(device: EngineDevice): boolean {
  return processorOf(device) !== 'cpu';
}

/** What matrix products and convolutions multiply. */
export const enginePrecisions = ['float32', 'bfloat16'] as const;
export type EnginePrecision = (typeof enginePrecisions)[number];
