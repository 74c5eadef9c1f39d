import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Device } from '../../../protocol/engine/release.ts';
import { messageOf, UnimissError } from '../../../protocol/errors.ts';
import { compareVersions } from './host.ts';
import type { Env } from './places.ts';
import { type Gpu, type VisibleGpu, visibleGpus } from './visibleGpus.ts';

export type { Gpu } from './visibleGpus.ts';

const run = promisify(execFile);

/**
 * CUDA 12.9 is published with driver 575. By CUDA's minor-version compatibility every driver since 525.60.13 (CUDA 12.0) runs
 * code that is compiled for CUDA 12. Older drivers of data-centre GPUs do so with NVIDIA's package cuda-compat-12-9 (forward
 * compatibility), which the user must install. (NVIDIA, "CUDA Compatibility".)
 */
export const OLDEST_DRIVER = '525.60.13';

/** A version of CUDA: the oldest driver that runs it, and the one it is published with. */
export interface CudaVersion {
  readonly name: string;
  readonly oldestDriver: string;
  readonly driver: string;
}

/** That of TensorFlow's wheels. */
export const cuda12: CudaVersion = { name: '12.9', oldestDriver: OLDEST_DRIVER, driver: '575' };
/** That of the plugin of PJRT. All of CUDA 13 runs on driver 580.65.06 (CUDA 13.0) and newer ones. */
export const cuda13: CudaVersion = { name: '13', oldestDriver: '580.65.06', driver: '580' };

/** The known facts about NVIDIA's driver and GPUs. */
export interface GpuReport {
  driver?: string;
  gpus: Gpu[];
  /** Why nothing, or not everything, is known. */
  problem?: string;
}

export interface GpuOptions {
  env?: Env;
  /** NVIDIA's folder in /proc, and places of nvidia-smi besides the PATH; tests set them. */
  proc?: string;
  smiFolders?: string[];
  /** How long nvidia-smi may take, ms. */
  timeout?: number;
}

const noSmi = 'nvidia-smi was not found';

/** The table that nvidia-smi gives for a query, such as `--query-gpu=index,name`; `problem`: why there is none. */
export async function askSmi(
  query: string,
  { env = process.env, smiFolders = ['/usr/lib/wsl/lib'], timeout = 20_000 }: Omit<GpuOptions, 'proc'> = {},
): Promise<{ table: string; problem?: undefined } | { table?: undefined; problem: string }> {
  for (const smi of ['nvidia-smi', ...smiFolders.map((folder) => join(folder, 'nvidia-smi'))]) {
    try {
      const args = [query, '--format=csv,noheader,nounits'];
      return { table: (await run(smi, args, { env, timeout, encoding: 'utf8' })).stdout };
    } catch (error) {
      const { code, stdout } = error as NodeJS.ErrnoException & { stdout?: string };
      if (code === 'ENOENT') continue;
      // nvidia-smi writes problems (no driver, versions that do not match) to its standard output.
      return { problem: `nvidia-smi: ${stdout?.trim().split('\n')[0] || messageOf(error)}` };
    }
  }
  return { problem: noSmi };
}

/** Asks nvidia-smi, or the kernel module if there is no nvidia-smi (as in some containers). */
export async function detectGpus(options: GpuOptions = {}): Promise<GpuReport> {
  const { proc = '/proc/driver/nvidia' } = options;
  const { table, problem } = await askSmi('--query-gpu=index,name,memory.total,driver_version,uuid', options);
  if (table !== undefined) return parseSmi(table);
  return { ...(await fromKernelModule(proc)), ...(problem !== noSmi && { gpus: [] }), problem };
}

function parseSmi(output: string): GpuReport {
  const report: GpuReport = { gpus: [] };
  for (const line of output.split('\n')) {
    const [index, name, memory, driver, uuid] = line.split(',').map((field) => field.trim());
    if (!index || !name || !/^\d+$/.test(index)) continue;
    const memoryMiB = Number.parseInt(memory ?? '', 10);
    const known = uuid?.startsWith('GPU-') && { uuid };
    report.gpus.push({ index: Number(index), name, ...(memoryMiB > 0 && { memoryMiB }), ...known });
    report.driver ??= driver;
  }
  if (report.gpus.length === 0)
    report.problem = `nvidia-smi lists no GPU (${output.trim().split('\n')[0] || 'no output'})`;
  return report;
}

async function fromKernelModule(proc: string): Promise<GpuReport> {
  try {
    const version = await readFile(join(proc, 'version'), 'utf8');
    const driver = /Kernel Module[^0-9]*(?:x86_64|aarch64)?\s+(\d+(?:\.\d+)+)/.exec(version)?.[1];
    const gpus: Gpu[] = [];
    for (const bus of (await readdir(join(proc, 'gpus'))).sort()) {
      const text = await readFile(join(proc, 'gpus', bus, 'information'), 'utf8');
      const name = /^Model:\s*(.+)$/m.exec(text)?.[1]?.trim() ?? 'unknown GPU';
      const uuid = /^GPU UUID:\s*(GPU-[\da-f-]+)$/m.exec(text)?.[1];
      gpus.push({ index: gpus.length, name, ...(uuid !== undefined && { uuid }) });
    }
    return { ...(driver && { driver }), gpus };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { gpus: [] }; // no driver is loaded
    throw error;
  }
}

/** Why the found hardware cannot use CUDA; undefined if it can. */
export function cudaObstacle(report: GpuReport, cuda = cuda12): { what: string; remedy: string } | undefined {
  if (report.gpus.length === 0) {
    const driver = report.driver ? `NVIDIA driver ${report.driver} is installed, but ` : '';
    return {
      what: `${driver}no NVIDIA GPU was found${report.problem ? ` (${report.problem})` : ''}`,
      remedy: `Install NVIDIA's driver (${cuda.oldestDriver} or newer; \`nvidia-smi\` must list the GPU), and start containers with \`--gpus all\``,
    };
  }
  if (!report.driver || !/^\d/.test(report.driver)) {
    return {
      what: `${describe(report)} was found, but the version of its NVIDIA driver is unknown`,
      remedy: 'Check that `nvidia-smi` works',
    };
  }
  if (compareVersions(report.driver, cuda.oldestDriver) < 0) {
    return {
      what: `${describe(report)} has NVIDIA driver ${report.driver}, but CUDA ${cuda.name} needs ${cuda.oldestDriver} or newer`,
      remedy:
        `Upgrade the driver (${cuda.driver} matches CUDA ${cuda.name}` +
        (cuda === cuda12 ? "; on a data-centre GPU, NVIDIA's package cuda-compat-12-9 works too)" : ')'),
    };
  }
  return undefined;
}

const describe = (report: GpuReport): string => report.gpus.map((gpu) => gpu.name).join(', ');

function nothingVisible(env: Env = process.env): { what: string; remedy: string } {
  return {
    what: `CUDA_VISIBLE_DEVICES=${JSON.stringify(env.CUDA_VISIBLE_DEVICES)} selects no existing GPU`,
    remedy: 'Unset CUDA_VISIBLE_DEVICES, or set it to a GPU that `nvidia-smi -L` lists',
  };
}

/**
 * The device to use if `wanted` is requested. Falls back to the CPU, with a notice, only if that is allowed.
 * @returns with `cuda` the GPUs that this process may use, at least one
 * @throws UnimissError `engine` with the findings, if CUDA is requested but unusable and the CPU is not allowed.
 */
export async function chooseDevice(
  wanted: Device,
  options: GpuOptions & { allowCpu?: boolean; cuda?: CudaVersion } = {},
): Promise<{ device: Device; notice?: string; visible?: VisibleGpu[] }> {
  if (wanted === 'cpu') return { device: 'cpu' };
  const gpus = await detectGpus(options);
  const visible = visibleGpus(gpus.gpus, options.env ?? process.env);
  const obstacle = cudaObstacle(gpus, options.cuda) ?? (visible.length === 0 ? nothingVisible(options.env) : undefined);
  if (!obstacle) return { device: 'cuda', visible };
  if (options.allowCpu) return { device: 'cpu', notice: `Using the CPU: ${obstacle.what}.` };
  const install =
    options.cuda === cuda13
      ? '`--allow-cpu` installs the plugin all the same, for machines that have one'
      : '`--device cpu`, `--allow-cpu`';
  throw new UnimissError('engine', `CUDA cannot be used: ${obstacle.what}`, {
    remedy: `${obstacle.remedy}; or use the CPU: set \`engine.device\` to "cpu", or set \`engine.allowCpu\` to fall back to it (for \`unimiss engine install\`: ${install}).`,
  });
}
