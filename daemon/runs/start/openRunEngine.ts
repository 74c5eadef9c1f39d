import { join } from 'node:path';
import { cacheFolder } from '../../../protocol/cacheFolder.ts';
import type { ResolvedConfig } from '../../../protocol/config/index.ts';
import type { RunVersions } from '../../../protocol/records/records.ts';
import { type Engine, openEngine } from '../../engine/index.ts';
import { deviceName, findRunEngine, threadsOf } from './findRunEngine.ts';

/**
 * The GPUs that a scheduler or the user made visible. Code below narrows the variable, and a process may open the engine of a
 * second run.
 */
const visibleAtStart = process.env.CUDA_VISIBLE_DEVICES;

export interface RunEngine {
  engine: Engine;
  /** Name of the processor or GPU. */
  device: string;
  threads: RunVersions['threads'];
}

/**
 * Opens the engine that a run needs, with the thread counts that the run began with, so that it continues bit for bit.
 * @param notice called if the run uses the CPU instead of a GPU
 * @throws UnimissError 'engine' with the command that helps
 */
export async function openRunEngine(
  config: ResolvedConfig['engine'],
  before: RunVersions | undefined,
  notice: (message: string) => void,
): Promise<RunEngine> {
  const found = await findRunEngine(config, { ...process.env, CUDA_VISIBLE_DEVICES: visibleAtStart });
  const { gpu, cudaData } = found;
  if (found.notice) notice(found.notice);
  if (gpu) {
    process.env.CUDA_VISIBLE_DEVICES = gpu.visible;
    process.env.CUDA_DEVICE_ORDER = 'PCI_BUS_ID'; // if the UUID is unknown, its number counts by the bus
  }
  if (cudaData && !process.env.XLA_FLAGS) process.env.XLA_FLAGS = `--xla_gpu_cuda_data_dir=${cudaData}`;
  const threads = threadsOf(config, before);
  const engine = await openEngine({
    library: found.library,
    device: found.device,
    interOpThreads: threads.interOp,
    intraOpThreads: threads.intraOp,
    ...(found.preload && { preload: found.preload }),
    precision: config.precision,
    executables: join(cacheFolder(), 'executables'),
    notice,
  });
  return { engine, threads, device: deviceName(found, engine.devices[0]?.type) };
}
