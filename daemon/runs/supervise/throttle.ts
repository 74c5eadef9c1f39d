/** Calls a function at most once per interval: at once the first time, then with the newest value. */
export class Throttle<T = void> {
  private timer: NodeJS.Timeout | undefined;
  private waiting: { value: T } | undefined;

  constructor(
    private readonly interval: number,
    private readonly action: (value: T) => void,
  ) {}

  call(value: T): void {
    this.waiting = { value };
    if (this.timer === undefined) this.run();
  }

  /** Makes a waiting call at once, and resets the interval. */
  flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.act();
  }

  private run(): void {
    const acted = this.act();
    this.timer = acted ? setTimeout(() => this.run(), this.interval).unref() : undefined;
  }

  private act(): boolean {
    const { waiting } = this;
    this.waiting = undefined;
    if (waiting) this.action(waiting.value);
    return waiting !== undefined;
  }
}
