import { findsGpus, isPluginDevice, usesGpu } from './devices.ts';
import type { ConfigProblem } from './kind.ts';
import type { SharedConfig } from './shared.ts';

/** What of the engine does not go with its device: a GPU for a run on the CPU, a precision or an executor that it does not have. */
export function deviceProblems({
  device,
  gpu,
  allowCpu,
  executor,
  precision,
}: SharedConfig['engine']): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const found = findsGpus(device);
  if (!usesGpu(device) && gpu !== null)
    problems.push({
      path: ['engine', 'gpu'],
      message: `selects GPU ${gpu}, but engine.device is "${device}"`,
      remedy: 'Set engine.device to "cuda", or remove engine.gpu.',
    });
  if (usesGpu(device) && !found && gpu !== null && gpu > 0)
    problems.push({
      path: ['engine', 'gpu'],
      message: `selects GPU ${gpu}, but with engine.device "${device}" a run takes the first GPU that the plugin finds`,
      remedy: 'Remove engine.gpu.',
    });
  if (usesGpu(device) && !found && allowCpu)
    problems.push({
      path: ['engine', 'allowCpu'],
      message: `is true, but UniMiSS looks for no GPU before it loads the plugin for "${device}"`,
      remedy: 'Remove engine.allowCpu; for a run on the CPU, set engine.device to "cpu".',
    });
  if (executor === 'eager' && isPluginDevice(device))
    problems.push({
      path: ['engine', 'executor'],
      message: `is "eager", but engine.device is "${device}", where XLA compiles whole steps`,
      remedy: 'Remove engine.executor, or set engine.device to "cpu" or "cuda".',
    });
  if (precision !== 'float32' && !isPluginDevice(device))
    problems.push({
      path: ['engine', 'precision'],
      message: `is "${precision}", but engine.device is "${device}", where TensorFlow multiplies float32`,
      remedy: 'Set engine.device to a plugin of PJRT, such as "pjrt:cuda", or remove engine.precision.',
    });
  return problems;
}
