/** What asked a run to stop: its records say so. */
export type StopCause = { by: 'client' } | { by: 'signal'; signal: string };

/**
 * What somebody outside asks of a training loop: it looks here between two steps. Pausing holds the loop there; stopping ends it
 * with a checkpoint, also while it is paused.
 */
export class TrainingControl {
  private cause: StopCause | undefined;
  private paused = false;
  private wake: (() => void) | undefined;

  /**
   * @param onHeld told when the loop is held (true) and when it goes on or ends (false): not when that is asked for
   * @param onStop told when a stop is asked for, the first time
   */
  constructor(
    private readonly onHeld: (held: boolean) => void = () => undefined,
    private readonly onStop: (cause: StopCause) => void = () => undefined,
  ) {}

  get stopRequested(): boolean {
    return this.cause !== undefined;
  }

  /** What asked first; undefined where nothing did. */
  get stopCause(): StopCause | undefined {
    return this.cause;
  }

  get pauseRequested(): boolean {
    return this.paused;
  }

  stop(cause: StopCause): void {
    if (this.cause) return;
    this.cause = cause;
    this.onStop(cause);
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
    if (!this.paused || this.stopRequested) return;
    this.onHeld(true);
    while (this.paused && !this.stopRequested) await new Promise<void>((resolve) => (this.wake = resolve));
    this.onHeld(false);
  }

  private release(): void {
    this.wake?.();
    this.wake = undefined;
  }
}
