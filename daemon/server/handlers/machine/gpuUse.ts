import { basename } from 'node:path';
import type { AnswerOf } from '../../../../protocol/daemon/rpc.ts';
import type { machineStatus } from '../../../../protocol/machines/messages.ts';
import { printable } from '../../../../protocol/printable.ts';
import { askSmi } from '../../../engine/install/gpu.ts';

type Gpu = AnswerOf<typeof machineStatus>['gpus'][number];
export type GpuUse = Omit<Gpu, 'holders'> & { holders: Omit<Gpu['holders'][number], 'user' | 'run'>[] };

const MiB = 2 ** 20;

/** Asks nvidia-smi how busy each GPU is, and which processes compute on it. `problem`: why none is listed. */
export async function gpuUse(
  env: NodeJS.ProcessEnv = process.env,
): Promise<{ gpus: GpuUse[]; problem: string | null }> {
  const options = { env, timeout: 10_000 };
  const [gpus, apps] = await Promise.all([
    askSmi('--query-gpu=index,uuid,utilization.gpu,memory.used,memory.total,temperature.gpu,name', options),
    askSmi('--query-compute-apps=gpu_uuid,pid,used_memory,process_name', options),
  ]);
  const problem = gpus.problem ?? apps.problem;
  if (gpus.table === undefined || apps.table === undefined) return { gpus: [], problem: printable(problem ?? '') };
  const found = parseUse(gpus.table, apps.table);
  return { gpus: found, problem: found.length > 0 ? null : 'nvidia-smi lists no GPU' };
}

/** Reads the two tables of nvidia-smi. Values such as `[N/A]` are unknown. */
export function parseUse(gpus: string, apps: string): GpuUse[] {
  const holders = new Map<string, GpuUse['holders']>();
  for (const [uuid = '', pid = '', memory = '', ...program] of rows(apps)) {
    if (!/^\d+$/.test(pid)) continue;
    const holder = {
      pid: Number(pid),
      program: printable(basename(program.join(', '))),
      memory: scaled(memory, MiB),
    };
    holders.set(uuid, [...(holders.get(uuid) ?? []), holder]);
  }
  return rows(gpus).flatMap(([index = '', uuid = '', use = '', used = '', total = '', temperature = '', ...name]) => {
    if (!/^\d+$/.test(index)) return [];
    const share = scaled(use, 1 / 100);
    const [inUse, all] = [scaled(used, MiB), scaled(total, MiB)];
    return [
      {
        index: Number(index),
        name: printable(name.join(', ')),
        use: share === null ? null : Math.min(1, share),
        memory: inUse === null || all === null ? null : { used: inUse, total: all },
        temperature: scaled(temperature, 1),
        holders: holders.get(uuid) ?? [],
      },
    ];
  });
}

function rows(table: string): string[][] {
  return table.split('\n').map((line) => line.split(',').map((field) => field.trim()));
}

function scaled(text: string, unit: number): number | null {
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) * unit : null;
}
