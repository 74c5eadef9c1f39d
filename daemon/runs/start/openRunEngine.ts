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
  const {
    device,
    files,
    gpu,
    notice: fallback,
  } = await findRunEngine(config, { ...process.env, CUDA_VISIBLE_DEVICES: visibleAtStart });
  if (fallback) notice(fallback);
  if (gpu) {
    process.env.CUDA_VISIBLE_DEVICES = gpu.visible;
    process.env.CUDA_DEVICE_ORDER = 'PCI_BUS_ID'; // if the UUID is unknown, its number counts by the bus
  }
  if (files.cuda?.dataDir && !process.env.XLA_FLAGS)
    process.env.XLA_FLAGS = `--xla_gpu_cuda_data_dir=${files.cuda.dataDir}`;
  const threads = threadsOf(config, before);
  const engine = await openEngine({
    library: files.folder,
    device,
    interOpThreads: threads.interOp,
    intraOpThreads: threads.intraOp,
    ...(files.cuda && device === 'cuda' && { preload: files.cuda.preload }),
  });
  return { engine, threads, device: deviceName(gpu) };
}
