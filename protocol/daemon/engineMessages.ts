import { z } from 'zod';
import { request } from './rpc.ts';

const text = z.string().describe('As lines for people.');

export const engineInfoRequest = request('unimiss/engine/info', 'Which TensorFlow there is.', {
  params: z.strictObject({}),
  result: z.object({
    text,
    ready: z.boolean().describe('Whether a run on the CPU could start.'),
    problem: z.string().optional().describe('Why not.'),
    pinned: z.string().describe('The version that is installed on request.'),
    gpus: z.array(z.string()).describe('Names of the GPUs.'),
  }),
});

export const engineDoctor = request('unimiss/engine/doctor', 'What a bug report needs; takes some seconds.', {
  params: z.strictObject({}),
  result: z.object({ text }),
});

export const engineInstall = request(
  'unimiss/engine/install',
  'Fetches TensorFlow into the user’s cache; nothing happens where it is there. Tells its progress (`$/progress`), ends when cancelled (`$/cancelRequest`).',
  {
    params: z.strictObject({
      device: z.enum(['cpu', 'cuda']).default('cpu'),
      allowCpu: z.boolean().default(false).describe('With `cuda`: install the CPU build where no GPU is usable.'),
      workDoneToken: z.union([z.string(), z.int()]).optional(),
    }),
    result: z.object({ folder: z.string(), version: z.string().optional() }),
  },
);
