import type { ConfigProblem } from './kind.ts';
import type { SharedConfig } from './shared.ts';

/** A GPU that is selected for a run on the CPU. */
export function gpuProblem({ device, gpu }: SharedConfig['engine']): ConfigProblem[] {
  if (device !== 'cpu' || gpu === null) return [];
  return [
    {
      path: ['engine', 'gpu'],
      message: `selects GPU ${gpu}, but engine.device is "cpu"`,
      remedy: 'Set engine.device to "cuda", or remove engine.gpu.',
    },
  ];
}
