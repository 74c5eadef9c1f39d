import { usesGpu } from './devices.ts';
import type { ConfigProblem } from './kind.ts';
import type { SharedConfig } from './shared.ts';

/** What of the engine does not go with its device: a GPU for a run on the CPU, a precision that TensorFlow does not have here. */
export function deviceProblems({ device, gpu, precision }: SharedConfig['engine']): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  if (!usesGpu(device) && gpu !== null)
    problems.push({
      path: ['engine', 'gpu'],
      message: `selects GPU ${gpu}, but engine.device is "${device}"`,
      remedy: 'Set engine.device to "cuda", or remove engine.gpu.',
    });
  if (precision !== 'float32' && !device.startsWith('pjrt:'))
    problems.push({
      path: ['engine', 'precision'],
      message: `is "${precision}", but engine.device is "${device}", where TensorFlow multiplies float32`,
      remedy: 'Set engine.device to a plugin of PJRT, such as "pjrt:cuda", or remove engine.precision.',
    });
  return problems;
}
