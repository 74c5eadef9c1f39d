import { UnimissError } from '../../../../protocol/errors.ts';
import { Random } from '../../random.ts';
import { openMakers } from '../openMakers.ts';
import { BatchPool } from '../pool.ts';
import { BatchQueue } from '../queue.ts';
import type { BatchRange } from '../types.ts';
import type {
  MadePatches,
  PatchBatch,
  PatchMade,
  PatchOptions,
  PatchSlot,
  PatchTask,
  PreparedSummary,
  TrainingCase,
  Window,
  WindowBatch,
} from './types.ts';

/** Batches that are made or wait to be taken, for each worker. */
const aheadPerWorker = 2;

export interface PatchLoaderOptions extends PatchOptions {
  /** Numbers of cases are positions in this list. */
  readonly cases: readonly TrainingCase[];
  /** Those that are trained on. */
  readonly training: readonly number[];
  /** Images a batch. */
  readonly batch: number;
  readonly stepsPerEpoch: number;
  /** Threads; 0: patches are made in this thread, for debugging. */
  readonly workers: number;
}

/** What could not be prepared, by case. */
export interface PreparationFailure {
  readonly id: string;
  readonly error: UnimissError;
}

/**
 * Prepares labelled images and makes patches of them, in threads ahead of the trainer. The batches of an epoch are a function of seed
 * and epoch alone, whatever the number of workers and from whichever batch one starts.
 */
export class PatchLoader {
  private readonly pool: BatchPool<PatchTask, PatchMade>;
  private readonly ahead: number;
  private prepared: BatchQueue<PatchTask, PatchMade> | undefined;

  constructor(private readonly options: PatchLoaderOptions) {
    const { cases, training, batch, stepsPerEpoch, workers, ...patchOptions } = options;
    if (training.length === 0) throw new UnimissError('data', 'there are no cases to train on', { place: 'data' });
    this.pool = new BatchPool(openMakers(workers, { kind: 'patches', cases, options: patchOptions }));
    this.ahead = workers * aheadPerWorker;
  }

  /** Prepares every case, as far as it is not done already. @returns a summary of each; undefined for one that failed */
  async prepareCases(
    onDone: (done: number, total: number) => void,
  ): Promise<{ summaries: (PreparedSummary | undefined)[]; failures: PreparationFailure[] }> {
    const { cases } = this.options;
    const run = this.pool.begin();
    const failures: PreparationFailure[] = [];
    let done = 0;
    const one = async (id: string, number: number): Promise<PreparedSummary | undefined> => {
      try {
        const made = await run.make({ kind: 'prepare', case: number });
        return made.kind === 'prepared' ? made : undefined;
      } catch (error) {
        if (!(error instanceof UnimissError) || error.code !== 'data') throw error;
        failures.push({ id, error });
        return undefined;
      } finally {
        onDone(++done, cases.length);
      }
    };
    const summaries = await Promise.all(cases.map(({ id }, number) => one(id, number)));
    return { summaries, failures };
  }

  /** The batches of an epoch, or part of them. One epoch at a time; leaving the loop early is fine. */
  async *epoch(epoch: number, range: BatchRange = {}): AsyncGenerator<PatchBatch> {
    const { prepared } = this;
    const fits = prepared?.epoch === epoch && prepared.range.from === range.from && prepared.range.to === range.to;
    if (!fits) prepared?.drop();
    const queue = prepared && fits ? prepared : this.begin(epoch, range);
    this.prepared = undefined;
    try {
      for (let index = queue.next; index < queue.end; index++) {
        const began = performance.now();
        queue.ask(Math.max(1, this.ahead));
        const made = requirePatches(await queue.take());
        queue.ask(this.ahead);
        const { images: values, labels, ids } = made;
        yield { epoch, index, images: this.options.batch, values, labels, ids, waitMs: performance.now() - began };
      }
    } finally {
      queue.drop();
    }
  }

  /** Has the first batches of a coming epoch made while the trainer is busy. */
  prepare(epoch: number, range: BatchRange = {}): void {
    this.prepared?.drop();
    this.prepared = this.begin(epoch, range);
    this.prepared.ask(this.ahead);
  }

  /** Parts of cases as they are, unchanged, in batches of the same size. */
  async *windows(windows: readonly Window[], batch: number): AsyncGenerator<WindowBatch> {
    const parts = Array.from({ length: Math.ceil(windows.length / batch) }, (_, i) =>
      windows.slice(i * batch, (i + 1) * batch),
    );
    const tasks = parts.map((part): PatchTask => {
      const last = part.at(-1)!;
      return { kind: 'windows', windows: [...part, ...new Array<Window>(batch - part.length).fill(last)] };
    });
    const queue = new BatchQueue(this.pool, -1, tasks, {});
    try {
      for (const part of parts) {
        queue.ask(Math.max(1, this.ahead));
        const { images: values, labels, ids } = requirePatches(await queue.take());
        yield { values, labels, ids, windows: part };
      }
    } finally {
      queue.drop();
    }
  }

  close(): Promise<void> {
    return this.pool.close();
  }

  private begin(epoch: number, range: BatchRange): BatchQueue<PatchTask, PatchMade> {
    const { training, batch, stepsPerEpoch, seed, foreground } = this.options;
    const slots = trainingSlots({ training, batch, steps: stepsPerEpoch, foreground }, seed, epoch);
    const tasks = slots.map((own): PatchTask => ({ kind: 'train', epoch, slots: own }));
    return new BatchQueue(this.pool, epoch, tasks, range);
  }
}

function requirePatches(made: PatchMade): MadePatches {
  if (made.kind === 'patches') return made;
  throw new UnimissError('internal', 'the loader made something else than patches');
}

/**
 * Which cases the batches of an epoch hold: all cases in an order that seed and epoch decide, then all again in another. As in nnU-Net,
 * the last places of a batch are those whose patches must show a class.
 */
export function trainingSlots(
  {
    training,
    batch,
    steps,
    foreground,
  }: { training: readonly number[]; batch: number; steps: number; foreground: number },
  seed: number,
  epoch: number,
): PatchSlot[][] {
  const orders: number[][] = [];
  const orderOf = (pass: number) => {
    orders[pass] ??= new Random(seed, epoch, pass, 'order').shuffle([...training]);
    return orders[pass];
  };
  const free = Math.round(batch * (1 - foreground));
  return Array.from({ length: steps }, (_, step) =>
    Array.from({ length: batch }, (_, place) => {
      const index = step * batch + place;
      const repeat = Math.floor(index / training.length);
      return { case: orderOf(repeat)[index % training.length]!, repeat, foreground: place >= free };
    }),
  );
}
