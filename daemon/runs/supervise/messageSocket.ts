import type { Socket } from 'node:net';
import type { z } from 'zod';
import { messageOf } from '../../../protocol/errors.ts';

/** The longest message, bytes. */
const LONGEST_LINE = 1 << 20;
/** If the other side leaves more than this untaken, the connection ends, bytes. */
const MOST_UNSENT = 1 << 20;

/** Messages as lines of JSON over a socket. The schema checks each incoming message; anything else ends the connection. */
export class MessageSocket<In, Out> {
  /** Resolves when the connection has ended and all incoming messages are handled; with the error, if one ended it. */
  readonly closed: Promise<string | undefined>;
  private problem: string | undefined;
  private begun: Buffer[] = [];
  private begunBytes = 0;

  constructor(
    private readonly socket: Socket,
    private readonly schema: z.ZodType<In>,
    private readonly onMessage: (message: In) => void,
  ) {
    this.closed = new Promise((resolve) => socket.once('close', () => resolve(this.problem)));
    socket.on('error', () => {}); // `close` follows, which is all that matters
    socket.on('data', (data: Buffer) => this.take(data));
  }

  /** Does nothing if the connection has ended. Ends it if the other side does not read, so that it costs no memory. */
  send(message: Out): void {
    if (!this.socket.writable) return;
    this.socket.write(`${JSON.stringify(message)}\n`);
    if (this.socket.writableLength > MOST_UNSENT) this.socket.destroy();
  }

  /** Ends the connection when all messages have left, or after `limit` ms. */
  async end(limit: number): Promise<void> {
    this.socket.end();
    const late = setTimeout(() => this.socket.destroy(), limit);
    await this.closed;
    clearTimeout(late);
  }

  /** Ends the connection at once. */
  destroy(): void {
    this.socket.destroy();
  }

  private take(data: Buffer): void {
    let rest = data;
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      const line = Buffer.concat([...this.begun, rest.subarray(0, end)]).toString('utf8');
      this.begun = [];
      this.begunBytes = 0;
      rest = rest.subarray(end + 1);
      this.hear(line);
      if (this.problem !== undefined) return;
    }
    this.begun.push(rest);
    this.begunBytes += rest.length;
    if (this.begunBytes > LONGEST_LINE) this.refuse('it sent a line that is too long');
  }

  private hear(line: string): void {
    let message: In;
    try {
      message = this.schema.parse(JSON.parse(line));
    } catch (error) {
      this.refuse(`it sent an invalid message: ${messageOf(error)}`);
      return;
    }
    this.onMessage(message);
  }

  private refuse(problem: string): void {
    this.problem ??= problem;
    this.socket.destroy();
  }
}
