import { availableParallelism, cpus } from 'node:os';
import { type EngineDevice, isPluginDevice, usesGpu } from '../../../protocol/config/devices.ts';
import type { ResolvedConfig } from '../../../protocol/config/index.ts';
import { UnimissError } from '../../../protocol/errors.ts';
import type { RunVersions } from '../../../protocol/records/records.ts';
import { type LocatedEngine, locateEngine, type VisibleGpu } from '../../engine/install/index.ts';

/** The engine of a run, and its GPU. */
export interface RunEngineFiles extends LocatedEngine {
  /** Undefined on the CPU. */
  gpu?: VisibleGpu;
}

/**
 * Finds the engine that a run needs, without loading it. `engine.gpu` counts the GPUs that this process may use.
 * @throws UnimissError 'engine' with the command that helps
 */
export async function findRunEngine(
  config: ResolvedConfig['engine'],
  env: NodeJS.ProcessEnv = process.env,
): Promise<RunEngineFiles> {
  const found = await locateEngine(config.device, { allowCpu: config.allowCpu, env });
  const { visible } = found;
  if (found.notice && config.precision !== 'float32' && !isPluginDevice(found.device))
    return { ...found, notice: `${found.notice} TensorFlow multiplies float32, not ${config.precision}.` };
  if (!visible) return found;
  const index = config.gpu ?? 0;
  const gpu = visible[index];
  if (gpu) return { ...found, gpu };
  throw new UnimissError('engine', `no GPU has number ${index}`, {
    place: 'engine.gpu',
    remedy: `Use one of the GPUs available to this process: ${visible.map(({ name }, i) => `${i} (${name})`).join(', ')}. If CUDA_VISIBLE_DEVICES is set, it limits them.`,
  });
}

/**
 * The name of a GPU, or of the processor, as runs record it.
 * @param asOpened what the plugin calls its device: the only name of a GPU that was not found before the engine was loaded
 */
export function deviceName(
  { gpu, device }: { gpu?: Pick<VisibleGpu, 'name'> | undefined; device: EngineDevice },
  asOpened?: string,
): string {
  if (gpu) return gpu.name;
  if (usesGpu(device)) return asOpened ?? device;
  return cpus()[0]?.model ?? 'unknown processor';
}

/** TensorFlow's threads for a run: those that it began with, else the configuration's or the machine's. */
export function threadsOf(config: ResolvedConfig['engine'], before?: RunVersions): RunVersions['threads'] {
  return {
    interOp: config.interOpThreads ?? before?.threads.interOp ?? 2,
    intraOp: config.intraOpThreads ?? before?.threads.intraOp ?? Math.max(1, availableParallelism()),
  };
}
