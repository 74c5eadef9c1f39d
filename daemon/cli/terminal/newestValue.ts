/** Hands over the newest of what comes in; what nobody took before the next came is forgotten. */
export class NewestValue<T> {
  private value: { newest: T } | undefined;
  private failure: { error: unknown } | undefined;
  private wake: () => void = () => {};

  put(newest: T): void {
    this.value = { newest };
    this.wake();
  }

  /** From now on `take` rejects, once what is there was taken. */
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
