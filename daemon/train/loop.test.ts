import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { UnimissError } from '../../protocol/errors.ts';
import type { StepRecord } from '../../protocol/records/records.ts';
import { TrainingControl } from './control.ts';
import { type LoopOptions, trainLoop } from './loop.ts';
import { layOut } from './plan.ts';
import type { StepOutcome, Training, TrainingBatch } from './training.ts';

interface Batch extends TrainingBatch {
  readonly number: number;
}

/** A training whose steps take as long as the test wants: each ends when the one before has, and `pace` lets it. */
class Paced implements Training<Batch> {
  readonly plan;
  readonly description = '';
  readonly findings = [];
  readonly state = { tensors: () => [], counters: () => ({}), load: async () => undefined };
  readonly told: string[] = [];
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    readonly queues: boolean,
    epochs: readonly number[],
    private readonly pace: (step: number) => Promise<StepOutcome | undefined> = async () => undefined,
  ) {
    this.plan = layOut(epochs.map((steps) => ({ group: null, steps })));
  }

  prepare() {}

  async *batches({ firstStep, steps }: { firstStep: number; steps: number }, from: number): AsyncGenerator<Batch> {
    for (let number = firstStep + from; number < firstStep + steps; number++) yield { images: 1, waitMs: 0, number };
  }

  step({ step }: { step: number }): Promise<StepOutcome> {
    this.told.push(`call ${step}`);
    const outcome = this.last.then(async () => {
      for (let turn = 0; turn < 5; turn++) await setImmediate();
      const made = await this.pace(step);
      this.told.push(`end ${step}`);
      return made ?? { loss: step, values: {} };
    });
    this.last = outcome.catch(() => undefined);
    return outcome;
  }

  preview() {
    this.told.push('preview');
    return [];
  }

  async endEpoch() {
    this.told.push('epoch');
    return { loss: 0, values: {}, warnings: [] };
  }

  async close() {}
}

function options(training: Paced, more: Partial<LoopOptions> = {}): LoopOptions {
  return {
    training,
    from: { step: 0, epochSeconds: 0 },
    control: new TrainingControl(),
    checkpoint: { everyMinutes: null, everyEpochs: null },
    previews: false,
    onStep: ({ step }) => training.told.push(`record ${step}`),
    onEpoch: () => undefined,
    onPreview: async () => undefined,
    save: async ({ step }, reason) => {
      training.told.push(`save ${reason} after ${step}`);
    },
    ...more,
  };
}

const finished = (step: number) => ({ ended: 'finished', step });

describe('a training that queues its steps', () => {
  test('has the next one called before one ends, two at most, and all recorded in order before an epoch ends', async () => {
    const training = new Paced(true, [3, 2]);
    expect(await trainLoop(options(training))).toEqual(finished(5));
    expect(training.told).toEqual([
      ...['call 0', 'call 1', 'end 0', 'record 0', 'call 2', 'end 1', 'record 1', 'end 2', 'record 2', 'epoch'],
      ...['call 3', 'call 4', 'end 3', 'record 3', 'end 4', 'record 4', 'epoch', 'save finish after 5'],
    ]);
  });

  test('has none running while a checkpoint or a preview is written', async () => {
    const training = new Paced(true, [3]);
    await trainLoop(options(training, { previews: true, checkpoint: { everyMinutes: 0, everyEpochs: 1 } }));
    expect(training.told).toEqual([
      ...['preview', 'call 0', 'end 0', 'record 0', 'save time after 1', 'call 1', 'end 1', 'record 1'],
      ...['save time after 2', 'call 2', 'end 2', 'record 2', 'epoch', 'save finish after 3'],
    ]);
  });

  test('has none running while it is paused, and when it is stopped', async () => {
    const training = new Paced(true, [6]);
    const control: TrainingControl = new TrainingControl((held) => {
      training.told.push(held ? 'held' : 'released');
      if (held) control.resume();
    });
    const onStep = ({ step }: StepRecord) => {
      training.told.push(`record ${step}`);
      if (step === 0) control.pause();
      if (step === 2) control.stop({ by: 'client' });
    };
    const outcome = await trainLoop(options(training, { control, onStep }));
    expect(outcome).toEqual({ ended: 'stopped', step: 4 });
    expect(training.told).toEqual([
      ...['call 0', 'call 1', 'end 0', 'record 0', 'end 1', 'record 1', 'held', 'released'],
      ...['call 2', 'call 3', 'end 2', 'record 2', 'end 3', 'record 3', 'save stop after 4'],
    ]);
  });

  test('is not asked again after a loss that is not finite; what was called after it has ended, unrecorded', async () => {
    const training = new Paced(true, [6], async (step) => (step === 1 ? { loss: Number.NaN, values: {} } : undefined));
    const error = await trainLoop(options(training)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'diverged', message: expect.stringContaining('step 2') });
    const told = ['call 0', 'call 1', 'end 0', 'record 0', 'call 2', 'end 1', 'end 2'];
    expect(training.told).toEqual(told);
  });

  test('ends with the error of the first step that failed', async () => {
    const training = new Paced(true, [6], async (step) => {
      if (step > 0) throw new UnimissError('engine', `step ${step} failed`);
      return undefined;
    });
    await expect(trainLoop(options(training))).rejects.toThrow('step 1 failed');
    expect(training.told.filter((told) => told.startsWith('record'))).toEqual(['record 0']);
  });

  test('a batch that cannot be made ends it after the steps before were recorded', async () => {
    const training = new Paced(true, [6]);
    const { batches } = training;
    training.batches = async function* (epoch, from) {
      for await (const batch of batches.call(training, epoch, from)) {
        if (batch.number === 2) throw new UnimissError('data', 'an image is damaged');
        yield batch;
      }
    };
    await expect(trainLoop(options(training))).rejects.toThrow('an image is damaged');
    expect(training.told.filter((told) => told.startsWith('record'))).toEqual(['record 0', 'record 1']);
  });

  test('counts no time twice: the milliseconds of its steps add up to those of the run', async () => {
    const training = new Paced(true, [20]);
    let sum = 0;
    const onStep = ({ stepMs, waitMs }: StepRecord) => {
      sum += stepMs + waitMs;
    };
    const began = performance.now();
    await trainLoop(options(training, { onStep }));
    expect(sum).toBeGreaterThan(0);
    expect(sum).toBeLessThanOrEqual(performance.now() - began);
  });
});

test('a training that does not queue has each step recorded before the next is called', async () => {
  const training = new Paced(false, [2, 1]);
  expect(await trainLoop(options(training))).toEqual(finished(3));
  expect(training.told).toEqual([
    ...['call 0', 'end 0', 'record 0', 'call 1', 'end 1', 'record 1', 'epoch'],
    ...['call 2', 'end 2', 'record 2', 'epoch', 'save finish after 3'],
  ]);
});
