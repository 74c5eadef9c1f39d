import { availableParallelism, cpus } from 'node:os';
import type { RunVersions } from '../../protocol/records.ts';
import type { ResolvedConfig } from '../../protocol/resolveConfig.ts';
import { type Engine, openEngine } from '../engine/index.ts';
import { chooseDevice, requireEngine } from '../engine/install/index.ts';

export interface RunEngine {
  engine: Engine;
  /** Name of the processor or GPU. */
  device: string;
  threads: RunVersions['threads'];
}

/**
 * Opens the engine that a run asks for; thread counts are those that the run began with, so that it goes on bit for bit.
 * @param notice told where the CPU serves in place of a GPU
 * @throws UnimissError 'engine' with the command that helps
 */
export async function openRunEngine(
  config: ResolvedConfig['engine'],
  before: RunVersions | undefined,
  notice: (message: string) => void,
): Promise<RunEngine> {
  const { device, notice: fallback, gpus } = await chooseDevice(config.device, { allowCpu: config.allowCpu });
  if (fallback) notice(fallback);
  const gpu = device === 'cuda' ? (config.gpu ?? 0) : undefined;
  if (gpu !== undefined) process.env.CUDA_VISIBLE_DEVICES = String(gpu);
  const files = await requireEngine({ device, ...(config.library !== null && { library: config.library }) });
  if (files.cuda?.dataDir && !process.env.XLA_FLAGS)
    process.env.XLA_FLAGS = `--xla_gpu_cuda_data_dir=${files.cuda.dataDir}`;
  const threads = {
    interOp: config.interOpThreads ?? before?.threads.interOp ?? 2,
    intraOp: config.intraOpThreads ?? before?.threads.intraOp ?? Math.max(1, availableParallelism()),
  };
  const engine = await openEngine({
    library: files.folder,
    device,
    interOpThreads: threads.interOp,
    intraOpThreads: threads.intraOp,
    ...(files.cuda && device === 'cuda' && { preload: files.cuda.preload }),
  });
  const gpuName = gpus?.gpus[gpu ?? 0]?.name;
  return { engine, threads, device: gpuName ?? cpus()[0]?.model ?? 'unknown processor' };
}
