import { z } from 'zod';
import { engineDevices } from '../config/devices.ts';
import { request } from './rpc.ts';

const text = z.string().describe('Human-readable report.');

export const engineInfoRequest = request(
  'unimiss/engine/info',
  'Returns which TensorFlow and which plugin of PJRT are installed.',
  {
    params: z.strictObject({
      device: z
        .enum(engineDevices)
        .default('cpu')
        .describe('As `engine.device` of a configuration: what `ready`, `problem`, `missing` and `pinned` are about.'),
    }),
    result: z.object({
      text,
      ready: z.boolean().describe('Whether its engine is installed.'),
      problem: z.string().optional().describe('Why not.'),
      missing: z.boolean().default(false).describe('Whether that is all: it is not there.'),
      sizes: z
        .record(
          z.string(),
          z.object({ download: z.number().describe('Bytes.'), disk: z.number().describe('Bytes when unpacked.') }),
        )
        .default({})
        .describe('What can be installed here, by device.'),
      pinned: z
        .string()
        .optional()
        .describe('The version that `unimiss/engine/install` installs. Absent if it has none.'),
      gpus: z.array(z.string()).describe('Names of the GPUs.'),
    }),
  },
);

export const engineDoctor = request(
  'unimiss/engine/doctor',
  'Returns everything a bug report needs. Takes a few seconds.',
  {
    params: z.strictObject({}),
    result: z.object({ text }),
  },
);

const wheel = z.object({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/),
  version: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9.+_-]*$/),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.int().min(1),
});
export type Wheel = z.output<typeof wheel>;

export const engineWheels = request(
  'unimiss/engine/wheels',
  'Returns which files of the package index an installation still needs, for a client that brings them where this machine reaches no index.',
  {
    params: z.strictObject({ device: z.enum(['cpu', 'cuda']).default('cpu') }),
    result: z.object({
      version: z
        .string()
        .regex(/^[0-9][0-9A-Za-z.]*$/)
        .describe('Of TensorFlow.'),
      wheels: z.array(wheel).describe('Those that are not there yet.'),
      platforms: z.array(z.string().regex(/^[a-z0-9_]+$/)).describe('Tags for pip.'),
    }),
  },
);

export const engineInstall = request(
  'unimiss/engine/install',
  'Downloads TensorFlow, or a plugin of PJRT, into the user’s cache. Does nothing if it is installed already. Reports progress (`$/progress`) and can be cancelled (`$/cancelRequest`).',
  {
    params: z.strictObject({
      device: z.enum(engineDevices).default('cpu'),
      allowCpu: z
        .boolean()
        .default(false)
        .describe('If no GPU is usable: with `cuda` install the CPU build, with `pjrt:cuda` the plugin all the same.'),
      workDoneToken: z.union([z.string(), z.int()]).optional(),
    }),
    result: z.object({ folder: z.string(), version: z.string().optional() }),
  },
);
