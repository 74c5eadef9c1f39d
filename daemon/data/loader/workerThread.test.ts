import type { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { views2DOptions, views3DOptions } from '../augment/options.ts';
import type { BatchTask, MadeBatch } from './types.ts';
import { WorkerThread } from './workerThread.ts';

const options = {
  seed: 0,
  phase: '2D' as const,
  views2D: views2DOptions([32, 32]),
  views3D: views3DOptions(),
  resample: false as const,
  cacheMiB: 1,
};

const threadOf = () =>
  new WorkerThread<BatchTask, MadeBatch>({
    kind: 'views',
    samples: [{ id: 'a.png', path: '/nowhere/a.png' }],
    options,
  });

describe('WorkerThread', () => {
  it('passes an error on with its parts', async () => {
    const thread = threadOf();
    await expect(thread.make({ epoch: 0, slots: [{ sample: 0, repeat: 0 }] })).rejects.toMatchObject({
      name: 'UnimissError',
      code: 'data',
      details: { place: '/nowhere/a.png', remedy: 'Check whether the folder can still be read.' },
    });
    await thread.close();
  });

  it('that is killed while it makes a batch fails this batch', async () => {
    const thread = threadOf();
    const made = thread.make({ epoch: 0, slots: [{ sample: 0, repeat: 0 }] });
    // From outside and without `close`, like a lack of memory.
    const outcome = expect(made).rejects.toThrow(/a loader worker ended unexpectedly \(exit code \d\)/);
    await (thread as unknown as { worker: Worker }).worker.terminate();
    await outcome;
  });

  it('that dies while it starts fails the batch at hand and all later ones, with the reason', async () => {
    // The worker thread reads its options when it starts: without them it dies.
    const thread = new WorkerThread<BatchTask, MadeBatch>(undefined as never);
    const task = { epoch: 0, slots: [] };
    await expect(thread.make(task)).rejects.toThrow(
      /data\.workers: a loader worker ended unexpectedly \(.*undefined.*\)/,
    );
    await expect(thread.make(task)).rejects.toThrow(/ended unexpectedly[\s\S]*`data\.workers` = 0/);
    await thread.close();
  });
});
