import type { BatchPool } from './pool.ts';
import type { BatchRange } from './types.ts';

/** The requested batches of one epoch that are not taken yet, in order. */
export class BatchQueue<Task, Made> {
  private readonly run;
  private readonly pending: Promise<Made>[] = [];
  private asked: number;
  /** Number of the last batch plus one. */
  readonly end: number;

  constructor(
    pool: BatchPool<Task, Made>,
    readonly epoch: number,
    private readonly tasks: readonly Task[],
    readonly range: BatchRange,
  ) {
    this.run = pool.begin();
    this.asked = range.from ?? 0;
    this.end = Math.min(tasks.length, range.to ?? tasks.length);
  }

  /** Number of the batch that `take` returns next. */
  get next(): number {
    return this.asked - this.pending.length;
  }

  /** Requests further batches until `count` are under way. */
  ask(count: number): void {
    while (this.pending.length < count && this.asked < this.end) {
      this.pending.push(this.run.make(this.tasks[this.asked++]!));
    }
  }

  take(): Promise<Made> {
    return this.pending.shift()!;
  }

  /** Drops batches that no maker has begun. */
  drop(): void {
    this.run.end();
  }
}
