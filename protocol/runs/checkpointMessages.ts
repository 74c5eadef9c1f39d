import { z } from 'zod';
import { request } from '../daemon/rpc.ts';
import { runRef } from './runInfo.ts';

const step = z.int().min(0).describe('Training steps done when it was saved.');

/** Checkpoints that a run needs no more: neither the newest, from which it resumes, nor the best, nor a pinned one. */
export function superfluous<C extends { readonly step: number; readonly best: boolean; readonly pinned: boolean }>(
  checkpoints: readonly C[],
): C[] {
  const newest = Math.max(...checkpoints.map(({ step }) => step));
  return checkpoints.filter(({ step, best, pinned }) => step !== newest && !best && !pinned);
}

export const checkpointPin = request(
  'unimiss/runs/checkpoints/pin',
  'Pins a checkpoint, or removes the pin. A pinned one is never removed: neither by the run that goes on training, nor by `unimiss/runs/checkpoints/remove`.',
  {
    params: z.strictObject({ run: runRef, step, pinned: z.boolean() }),
    result: z.object({ step, pinned: z.boolean() }),
  },
);

export const checkpointsRemove = request(
  'unimiss/runs/checkpoints/remove',
  'Removes checkpoints of a run that nothing needs. Fails while the run is training.',
  {
    params: z.strictObject({
      run: runRef,
      steps: z
        .array(step)
        .min(1)
        .max(10_000)
        .optional()
        .describe(
          'Those to remove: neither the newest one, from which the run resumes, nor a pinned one. Default: all but the newest, the best, and those that are pinned; also those that are damaged.',
        ),
      confirm: z.literal(true).describe('Confirms that the user agreed.'),
    }),
    result: z.object({
      removed: z.array(z.string()).describe('Names of the removed files.'),
      bytes: z.int().min(0).describe('What they took on the disk.'),
    }),
  },
);
