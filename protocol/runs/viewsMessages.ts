import { z } from 'zod';
import { request } from '../daemon/rpc.ts';
import { modalities } from '../modality.ts';
import { runRef } from './runInfo.ts';

export const runViews = request(
  'unimiss/runs/views',
  'Makes both views of an image as a training step of a pre-training run would: cropped, resized and changed at random. The run does not change.',
  {
    params: z.strictObject({
      run: runRef,
      image: z.string().min(1).max(4096).describe('Absolute path of an image, or of the folder of a DICOM series.'),
      epoch: z.int().min(0).max(1_000_000).default(0).describe('Each epoch draws anew.'),
    }),
    result: z.object({
      phase: z.enum(modalities),
      views: z.array(
        z.object({
          width: z.int().min(1),
          height: z.int().min(1),
          slices: z.int().min(1).describe('Slices of a volume, side by side: each is `width` / `slices` wide.'),
          channels: z.union([z.literal(1), z.literal(3)]),
          data: z.base64().describe('8-bit pixels, row by row. Volumes: grey from −1024 to 1024 HU.'),
        }),
      ),
    }),
  },
);
