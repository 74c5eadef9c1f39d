import { UnimissError } from '../../../protocol/errors.ts';
import type { BatchMaker } from './workerThread.ts';

interface Job<Task, Made> {
  readonly task: Task;
  readonly resolve: (made: Made) => void;
  readonly reject: (error: unknown) => void;
  readonly run: number;
}

/** Assigns batches to makers as they become free, one each, first come, first served. */
export class BatchPool<Task, Made> {
  private readonly free: BatchMaker<Task, Made>[];
  private readonly queue: Job<Task, Made>[] = [];
  private runs = 0;
  private closed = false;

  constructor(private readonly makers: readonly BatchMaker<Task, Made>[]) {
    this.free = [...makers];
  }

  /** Begins the batches of an epoch. `end` drops batches that no maker has begun. */
  begin(): { make: (task: Task) => Promise<Made>; end: () => void } {
    const run = this.runs++;
    return {
      make: (task) => {
        const made = new Promise<Made>((resolve, reject) => {
          this.queue.push({ task, resolve, reject, run });
        });
        // The caller that waits for the batch gets its error; without one, the error must not end the process.
        made.catch(() => undefined);
        this.next();
        return made;
      },
      end: () => {
        const rest = this.queue.filter((job) => job.run !== run);
        this.queue.splice(0, this.queue.length, ...rest);
      },
    };
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const job of this.queue.splice(0)) job.reject(closedError());
    await Promise.all(this.makers.map((maker) => maker.close()));
  }

  private next(): void {
    while (this.queue.length > 0 && (this.closed || this.free.length > 0)) {
      const job = this.queue.shift()!;
      if (this.closed) {
        job.reject(closedError());
        continue;
      }
      const maker = this.free.shift()!;
      maker
        .make(job.task)
        .then(job.resolve, job.reject)
        .finally(() => {
          this.free.push(maker);
          this.next();
        });
    }
  }
}

function closedError(): UnimissError {
  return new UnimissError('interrupted', 'the loader was closed');
}
