import { availableParallelism, cpus } from 'node:os';
import type { ResolvedConfig } from '../../../protocol/config/index.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import type { RunVersions } from '../../../protocol/records/records.ts';
import {
  chooseDevice,
  type Device,
  type EngineFiles,
  requireEngine,
  type VisibleGpu,
} from '../../engine/install/index.ts';

/** The device of a run, and the libraries for it. */
export interface RunEngineFiles {
  device: Device;
  files: EngineFiles;
  /** Undefined on the CPU. */
  gpu?: VisibleGpu;
  /** Why the run uses the CPU instead of a GPU. */
  notice?: string;
}

/**
 * Finds the TensorFlow that a run needs, without loading it. `engine.gpu` counts the GPUs that this process may use.
 * @throws UnimissError 'engine' with the command that helps
 */
export async function findRunEngine(
  config: ResolvedConfig['engine'],
  env: NodeJS.ProcessEnv = process.env,
): Promise<RunEngineFiles> {
  const { device, notice, visible = [] } = await chooseDevice(config.device, { allowCpu: config.allowCpu, env });
  const files = await requireEngine({ device, env });
  if (device === 'cpu') return { device, files, ...(notice && { notice }) };
  const index = config.gpu ?? 0;
  const gpu = visible[index];
  if (gpu) return { device, files, gpu };
  throw new UnimissError('engine', `no GPU has number ${index}`, {
    place: 'engine.gpu',
    remedy: `Use one of the GPUs available to this process: ${visible.map(({ name }, i) => `${i} (${name})`).join(', ')}. If CUDA_VISIBLE_DEVICES is set, it limits them.`,
  });
}

/** The name of a GPU, or of the processor, as runs record it. */
export function deviceName(gpu: Pick<VisibleGpu, 'name'> | undefined): string {
  return gpu?.name ?? cpus()[0]?.model ?? 'unknown processor';
}

/** TensorFlow's threads for a run: those that it began with, else the configuration's or the machine's. */
export function threadsOf(config: ResolvedConfig['engine'], before?: RunVersions): RunVersions['threads'] {
  return {
    interOp: config.interOpThreads ?? before?.threads.interOp ?? 2,
    intraOp: config.intraOpThreads ?? before?.threads.intraOp ?? Math.max(1, availableParallelism()),
  };
}
