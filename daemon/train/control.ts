/** The cause of a stop, for the run's records. */
export type StopCause = { by: 'client' } | { by: 'signal'; signal: string };

/**
 * Controls a training loop from outside: the loop checks it between two steps. A pause holds the loop there; a stop ends it with
 * a checkpoint, even while paused.
 */
export class TrainingControl {
  private cause: StopCause | undefined;
  private paused = false;
  private wake: (() => void) | undefined;

  /**
   * @param onHeld called when the loop is held (true), and when it continues or ends (false); not at the request
   * @param onStop called at the first request to stop
   */
  constructor(
    private readonly onHeld: (held: boolean) => void = () => undefined,
    private readonly onStop: (cause: StopCause) => void = () => undefined,
  ) {}

  get stopRequested(): boolean {
    return this.cause !== undefined;
  }

  /** The first cause; undefined if there was no request. */
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

  /** Resolves when the loop may continue or must end. */
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
