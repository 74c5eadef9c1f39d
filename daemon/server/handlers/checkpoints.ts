import { checkpointPin, checkpointsRemove } from '../../../protocol/runs/checkpointMessages.ts';
import { CheckpointStore } from '../../checkpoint/store.ts';
import { lockRun } from '../../runs/folder/lock.ts';
import { type Handler, handle } from '../wire/handler.ts';
import type { Services } from './services.ts';

/** What users do with single checkpoints of a run. */
export function checkpointHandlers({ registry }: Services): Handler[] {
  return [
    handle(checkpointPin, async ({ run: ref, step, pinned }) => {
      const run = await registry.find(ref);
      await new CheckpointStore(run.checkpointsFolder).pin(step, pinned);
      return { step, pinned };
    }),
    handle(checkpointsRemove, async ({ run: ref, steps }) => {
      const run = await registry.find(ref);
      // A run in training holds its lock: its newest checkpoint may be another one in the next moment.
      const lock = await lockRun(run.lockFile);
      try {
        return await new CheckpointStore(run.checkpointsFolder).remove(steps);
      } finally {
        lock.release();
      }
    }),
  ];
}
