import { setTimeout } from 'node:timers/promises';

/**
 * Repeats a round of work while there is something to do: one round at a time, `interval` apart. However many requests arrive
 * during a round (a slow client takes its time), one more round follows, and nothing piles up.
 */
export class Outbox {
  private dirty = false;
  private turning = false;
  private readonly closing = new AbortController();

  constructor(
    /** One round; resolves when its messages have left this process. */
    private readonly round: () => Promise<void>,
    private readonly interval: number,
    private readonly failed: (error: unknown) => void,
  ) {}

  get closed(): boolean {
    return this.closing.signal.aborted;
  }

  schedule(): void {
    this.dirty = true;
    if (!this.turning && !this.closed) void this.turn();
  }

  close(): void {
    this.closing.abort();
  }

  private async turn(): Promise<void> {
    const { signal } = this.closing;
    this.turning = true;
    try {
      while (this.dirty && !signal.aborted) {
        this.dirty = false;
        await this.round();
        if (!signal.aborted) await setTimeout(this.interval, undefined, { signal, ref: false }).catch(() => {});
      }
    } catch (error) {
      this.close();
      this.failed(error);
    } finally {
      this.turning = false;
    }
  }
}
