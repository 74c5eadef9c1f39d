import type { BatchPool } from './pool.ts';
import type { BatchRange } from './types.ts';

/** The batches of one epoch that were asked for and not taken yet, in order. */
export class BatchQueue<Task, Made> {
  private readonly run;
  private readonly pending: Promise<Made>[] = [];
  private asked: number;
  /** One behind the number of the last batch. */
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

  /** Number of the batch that `take` gives next. */
  get next(): number {
    return this.asked - this.pending.length;
  }

  /** Asks for further batches until so many are under way. */
  ask(count: number): void {
    while (this.pending.length < count && this.asked < this.end) {
      this.pending.push(this.run.make(this.tasks[this.asked++]!));
    }
  }

  take(): Promise<Made> {
    return this.pending.shift()!;
  }

  /** Forgets what no maker has begun. */
  drop(): void {
    this.run.end();
  }
}
