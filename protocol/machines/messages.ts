import { z } from 'zod';
import { request } from '../daemon/rpc.ts';
import { activities } from '../runs/runInfo.ts';

const bytes = z.number().min(0);

const gpu = z.object({
  index: z.int().min(0),
  name: z.string(),
  use: z.number().min(0).max(1).nullable().describe('Share of the last second in which it computed. null: unknown.'),
  memory: z.object({ used: bytes, total: bytes }).nullable().describe('Bytes.'),
  temperature: z.number().nullable().describe('°C.'),
  holders: z
    .array(
      z.object({
        pid: z.int(),
        user: z.string().nullable().describe('Who owns the process. null: unknown.'),
        program: z.string().describe('Its name, without folders.'),
        run: z.string().nullable().describe('The run of this user that it trains. null: none.'),
        memory: bytes.nullable(),
      }),
    )
    .describe('The processes that compute on it.'),
});

export const machineStatus = request(
  'unimiss/machine/status',
  'Returns how busy the machine is, and who holds its GPUs.',
  {
    params: z.strictObject({}),
    result: z.object({
      hostname: z.string(),
      cpus: z.object({ count: z.int().min(1), load: z.number().min(0).describe('Average of the last minute.') }),
      memory: z.object({ available: bytes, total: bytes }),
      disk: z.object({ free: bytes, total: bytes }).describe('Where runs are.'),
      gpus: z.array(gpu),
      noGpu: z.string().nullable().describe('Why no GPU is listed. null: some are.'),
      runs: z
        .array(z.object({ id: z.string(), activity: z.enum(activities), devices: z.array(z.string()).readonly() }))
        .describe('Runs of this user that are active.'),
    }),
  },
);
export type MachineStatus = z.output<typeof machineStatus.result>;
