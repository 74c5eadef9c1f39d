/** Keeps only the newest value: a value that is not taken before the next one arrives is dropped. */
export class NewestValue<T> {
  private value: { newest: T } | undefined;
  private failure: { error: unknown } | undefined;
  private wake: () => void = () => {};

  put(newest: T): void {
    this.value = { newest };
    this.wake();
  }

  /** After the current value is taken, `take` rejects. */
  fail(error: unknown): void {
    this.failure = { error };
    this.wake();
  }

  async take(): Promise<T> {
    for (;;) {
      const { value, failure } = this;
      this.value = undefined;
      if (value) return value.newest;
      if (failure) throw failure.error;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }
}
