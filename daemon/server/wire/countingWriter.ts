import type { Writable } from 'node:stream';
import { type Message, StreamMessageWriter } from 'vscode-jsonrpc/node.js';

/** A writer that counts the messages that the other side has not taken yet. */
export class CountingWriter extends StreamMessageWriter {
  waiting = 0;
  private ending = false;

  constructor(
    private readonly stream: Writable,
    private readonly onChange: () => void = () => {},
    /**
     * Called if a write fails, which then counts as done. Without it the write rejects, and vscode-jsonrpc rethrows that for a
     * request where no code can catch it.
     */
    private readonly onFailure?: (error: unknown) => void,
  ) {
    super(stream);
  }

  override async write(message: Message): Promise<void> {
    this.waiting++;
    this.onChange();
    try {
      await super.write(message);
    } catch (error) {
      if (!this.onFailure) throw error;
      this.onFailure(error);
    } finally {
      this.waiting--;
      this.onChange();
      if (this.ending) this.endWhenWritten();
    }
  }

  /** Ends the stream as soon as everything has been written. */
  endWhenWritten(): void {
    this.ending = true;
    if (this.waiting === 0) this.stream.end();
  }
}
