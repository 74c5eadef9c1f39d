import { z } from 'zod';
import { request } from './rpc.ts';

const text = z.string().describe('Human-readable report.');

export const engineInfoRequest = request('unimiss/engine/info', 'Returns the TensorFlow that is installed.', {
  params: z.strictObject({}),
  result: z.object({
    text,
    ready: z.boolean().describe('Whether a CPU run can start.'),
    problem: z.string().optional().describe('Why not.'),
    missing: z.boolean().default(false).describe('Whether that is all: no TensorFlow is there.'),
    sizes: z
      .record(
        z.string(),
        z.object({ download: z.number().describe('Bytes.'), disk: z.number().describe('Bytes when unpacked.') }),
      )
      .default({})
      .describe('The builds that can be installed here, `cpu` and `cuda`.'),
    pinned: z.string().describe('The version that `unimiss/engine/install` installs.'),
    gpus: z.array(z.string()).describe('Names of the GPUs.'),
  }),
});

export const engineDoctor = request(
  'unimiss/engine/doctor',
  'Returns everything a bug report needs. Takes a few seconds.',
  {
    params: z.strictObject({}),
    result: z.object({ text }),
  },
);

export const engineInstall = request(
  'unimiss/engine/install',
  'Downloads TensorFlow into the user’s cache. Does nothing if it is installed already. Reports progress (`$/progress`) and can be cancelled (`$/cancelRequest`).',
  {
    params: z.strictObject({
      device: z.enum(['cpu', 'cuda']).default('cpu'),
      allowCpu: z.boolean().default(false).describe('With `cuda`: install the CPU build if no GPU is usable.'),
      workDoneToken: z.union([z.string(), z.int()]).optional(),
    }),
    result: z.object({ folder: z.string(), version: z.string().optional() }),
  },
);
