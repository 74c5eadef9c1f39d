import type { Writable } from 'node:stream';
import { type Message, StreamMessageWriter } from 'vscode-jsonrpc/node.js';

/** A writer that knows how many messages are on their way to a client that has not taken them yet. */
export class CountingWriter extends StreamMessageWriter {
  waiting = 0;

  constructor(
    stream: Writable,
    private readonly onChange: () => void,
  ) {
    super(stream);
  }

  override async write(message: Message): Promise<void> {
    this.waiting++;
    this.onChange();
    try {
      await super.write(message);
    } finally {
      this.waiting--;
      this.onChange();
    }
  }
}
