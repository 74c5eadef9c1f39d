/** Runs one body after the other, in the order of the calls. */
export class Line {
  private last: Promise<unknown> = Promise.resolve();

  /** Runs `body` when all earlier ones have ended, whether or not they failed. */
  run<T>(body: () => Promise<T>): Promise<T> {
    const ran = this.last.then(body);
    this.last = ran.catch(() => undefined); // its caller has the error
    return ran;
  }
}
