import { readFile } from 'node:fs/promises';
import os from 'node:os';
import { cacheFolder } from '../../../protocol/cacheFolder.ts';
import { messageOf } from '../../../protocol/errors.ts';
import { humanBytes } from '../../../protocol/words.ts';
import { freeBytes } from './disk.ts';
import { cuda12, cuda13, cudaObstacle, detectGpus, type GpuOptions, type GpuReport } from './gpu.ts';
import { checkHost, type Host, thisHost } from './host.ts';
import { type EngineInfo, engineInfo } from './info.ts';
import { engineInfoText } from './infoText.ts';
import { findPip } from './pip.ts';
import type { Env } from './places.ts';
import { tidied } from './tidy.ts';

/** What a bug report needs to know about the machine. No user names; the home folder is `~`. */
export interface DoctorReport {
  os: string;
  kernel: string;
  libc: string;
  cpu: { model: string; cores: number; flags: string[] };
  memoryBytes: number;
  /** Limit of the container, if it is below the machine's memory. */
  memoryLimitBytes?: number;
  node: string;
  pip: string;
  /** Why TensorFlow cannot run on this machine. */
  host?: string;
  engine: EngineInfo;
  gpu: GpuReport;
  /** Why CUDA 12, which TensorFlow needs, cannot be used. */
  cuda?: string;
  /** Why CUDA 13, which the plugin of PJRT needs, cannot be used. */
  cuda13?: string;
  freeBytes?: number;
  /** Variables that change what the engine does; for pip only their names, since index addresses may contain passwords. */
  variables: Record<string, string>;
}

/** Flags that decide which kernels oneDNN has, on x86-64 and arm64. */
const FLAGS = ['avx', 'avx2', 'fma', 'avx512f', 'avx512_vnni', 'avx512_bf16', 'avx512_fp16', 'amx_tile', 'amx_bf16'];
const ARM_FLAGS = ['asimd', 'asimddp', 'sve', 'sve2', 'bf16', 'i8mm'];

const VALUES =
  /^(UNIMISS_.*|XDG_CACHE_HOME|TF_.*|XLA_.*|ONEDNN_.*|DNNL_.*|OMP_.*|KMP_.*|CUDA_.*|NVIDIA_VISIBLE_DEVICES|LD_LIBRARY_PATH|LD_PRELOAD|NODE_OPTIONS|TMPDIR)$/;
const NAMES = /^(PIP_.*|https?_proxy|HTTPS?_PROXY|ALL_PROXY|VIRTUAL_ENV|CONDA_PREFIX)$/;

/** Collects what `unimiss engine doctor` prints. Checks the SHA-256 of every installed file, which takes seconds. */
export async function doctor(options: { host?: Host; user?: string } & GpuOptions = {}): Promise<DoctorReport> {
  const { env = process.env, host = thisHost() } = options;
  const gpu = await detectGpus(options);
  const constrained = process.constrainedMemory?.() ?? 0;
  const [cuda12Problem, cuda13Problem] = [cuda12, cuda13].map((cuda) => cudaObstacle(gpu, cuda)?.what);
  return tidied(
    {
      os: await osName(host),
      kernel: `${os.type()} ${os.release()}`,
      libc: host.glibc ? `glibc ${host.glibc}` : host.platform === 'linux' ? 'not glibc' : '-',
      cpu: {
        model: host.cpuModel ?? os.cpus()[0]?.model ?? 'unknown',
        cores: os.availableParallelism(),
        flags: [...FLAGS, ...ARM_FLAGS].filter((flag) => host.cpuFlags.includes(flag)),
      },
      memoryBytes: os.totalmem(),
      ...(constrained > 0 && constrained < os.totalmem() && { memoryLimitBytes: constrained }),
      node: `${process.version} (${host.platform} ${host.arch}${process.versions.electron ? `, Electron ${process.versions.electron}` : ''})`,
      pip: await findPip(env).then(
        (pip) => `${pip.version} (${[pip.command, ...pip.args].join(' ')})`,
        (error) => messageOf(error),
      ),
      ...hostProblem(host),
      engine: await engineInfo({ env, verify: 'hash' }),
      gpu,
      ...(cuda12Problem !== undefined && { cuda: cuda12Problem }),
      ...(cuda13Problem !== undefined && { cuda13: cuda13Problem }),
      freeBytes: await freeBytes(cacheFolder(env)),
      variables: variables(env),
    },
    { env, user: options.user },
  );
}

/** The report as lines for people. */
export function doctorText(report: DoctorReport): string {
  const { cpu, gpu } = report;
  const row = (name: string, value: string): string => `${name.padEnd(12)} ${value}`;
  const usable = (problem: string | undefined): string => (problem ? `cannot be used: ${problem}` : 'can be used');
  const limit = report.memoryLimitBytes ? ` (limited to ${humanBytes(report.memoryLimitBytes)})` : '';
  const lines = [
    row('system', `${report.os}; ${report.kernel}; ${report.libc}`),
    row('processor', `${cpu.model}, ${cpu.cores} cores; ${cpu.flags.join(' ') || 'flags unknown'}`),
    row('memory', `${humanBytes(report.memoryBytes)}${limit}`),
    row('node', report.node),
    row('pip', report.pip.replaceAll('\n', ' ')),
    ...(report.host ? [row('engine', report.host.replaceAll('\n', ' '))] : []),
    engineInfoText(report.engine),
    row('driver', gpu.driver ?? `none${gpu.problem ? ` (${gpu.problem})` : ''}`),
    ...gpu.gpus.map((each) =>
      row(`gpu ${each.index}`, `${each.name}${each.memoryMiB ? `, ${humanBytes(each.memoryMiB * 2 ** 20)}` : ''}`),
    ),
    row('cuda 12', usable(report.cuda)),
    row('cuda 13', usable(report.cuda13)),
    row('disk', report.freeBytes === undefined ? 'unknown' : `${humanBytes(report.freeBytes)} free for the cache`),
    ...Object.entries(report.variables).map(([name, value]) => row('variable', `${name}=${value}`)),
  ];
  return lines.join('\n');
}

function hostProblem(host: Host): { host?: string } {
  try {
    checkHost(host);
    return {};
  } catch (error) {
    return { host: messageOf(error) };
  }
}

async function osName(host: Host): Promise<string> {
  if (host.platform !== 'linux') return os.version();
  try {
    const text = await readFile('/etc/os-release', 'utf8');
    return /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(text)?.[1] ?? 'Linux';
  } catch {
    return 'Linux'; // the file is a convention and may be missing
  }
}

function variables(env: Env): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of Object.keys(env).sort()) {
    if (VALUES.test(name)) found[name] = env[name] ?? '';
    else if (NAMES.test(name)) found[name] = '(set)';
  }
  return found;
}
