import { usesGpu } from './devices.ts';
import type { ConfigProblem } from './kind.ts';
import type { SharedConfig } from './shared.ts';

/** A GPU that is selected for a run on the CPU. */
export function gpuProblem({ device, gpu }: SharedConfig['engine']): ConfigProblem[] {
  if (usesGpu(device) || gpu === null) return [];
  return [
    {
      path: ['engine', 'gpu'],
      message: `selects GPU ${gpu}, but engine.device is "${device}"`,
      remedy: 'Set engine.device to "cuda", or remove engine.gpu.',
    },
  ];
}
