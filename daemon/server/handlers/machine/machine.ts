import { statfs } from 'node:fs/promises';
import { availableParallelism, freemem, hostname, loadavg, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import type { AnswerOf } from '../../../../protocol/daemon/rpc.ts';
import { machineStatus } from '../../../../protocol/machines/messages.ts';
import { trainerOf } from '../../../runs/folder/lock.ts';
import { type Handler, handle } from '../../wire/handler.ts';
import type { Services } from '../services.ts';
import { gpuUse } from './gpuUse.ts';
import { ownerOfProcess } from './owners.ts';

/** How busy this machine is. */
export function machineHandlers({ registry }: Pick<Services, 'registry'>): Handler[] {
  return [
    handle(machineStatus, async () => {
      const [{ runs }, { gpus, problem }, disk] = await Promise.all([registry.list(), gpuUse(), diskOf(registry.root)]);
      const active = runs.flatMap(({ id, folder, activity, devices }) =>
        activity === null ? [] : [{ id, folder, activity, devices }],
      );
      const runOf = new Map(active.map(({ id, folder }) => [trainerOf(join(folder, 'lock'))?.pid, id]));
      return {
        hostname: hostname(),
        cpus: { count: availableParallelism(), load: loadavg()[0] ?? 0 },
        memory: { available: freemem(), total: totalmem() },
        disk,
        gpus: await Promise.all(
          gpus.map(async ({ holders, ...gpu }) => ({
            ...gpu,
            holders: await Promise.all(
              holders.map(async (holder) => ({
                ...holder,
                user: await ownerOfProcess(holder.pid),
                run: runOf.get(holder.pid) ?? null,
              })),
            ),
          })),
        ),
        noGpu: problem,
        runs: active.map(({ id, activity, devices }) => ({ id, activity, devices })),
      };
    }),
  ];
}

/** Of the file system of a folder, or of its nearest ancestor that exists. */
async function diskOf(folder: string): Promise<AnswerOf<typeof machineStatus>['disk']> {
  for (let at = folder; ; at = dirname(at)) {
    try {
      const { bavail, blocks, bsize } = await statfs(at);
      return { free: bavail * bsize, total: blocks * bsize };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(at) === at) throw error;
    }
  }
}
