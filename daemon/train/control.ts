/**
 * What somebody outside asks of a training loop: it looks here between two steps. Pausing holds the loop there; stopping ends it
 * with a checkpoint, also while it is paused.
 */
export class TrainingControl {
  private stopping = false;
  private paused = false;
  private wake: (() => void) | undefined;

  /** @param onHeld told when the loop is held (true) and when it goes on or ends (false) */
  constructor(private readonly onHeld: (held: boolean) => void = () => undefined) {}

  get stopRequested(): boolean {
    return this.stopping;
  }

  get pauseRequested(): boolean {
    return this.paused;
  }

  stop(): void {
    this.stopping = true;
    this.release();
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.release();
  }

  /** Resolves once the loop may go on or must end. */
  async proceed(): Promise<void> {
    if (!this.paused || this.stopping) return;
    this.onHeld(true);
    while (this.paused && !this.stopping) await new Promise<void>((resolve) => (this.wake = resolve));
    this.onHeld(false);
  }

  private release(): void {
    this.wake?.();
    this.wake = undefined;
  }
}
