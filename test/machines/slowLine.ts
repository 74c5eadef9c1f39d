import { once } from 'node:events';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';

/** A TCP proxy at the loopback address that is as far away and as narrow as one says. */
export class SlowLine {
  /** Bytes that have passed, in both directions. */
  bytes = 0;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  /**
   * @param target port at the loopback address
   * @param oneWay delay of each direction, ms
   * @param bitsPerSecond of each direction
   */
  static async open(target: number, oneWay: number, bitsPerSecond: number): Promise<SlowLine> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const line = new SlowLine(server, address.port);
    server.on('connection', (near) => {
      const far = createConnection(target, '127.0.0.1');
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        line.sockets.add(from);
        from.on('error', () => to.destroy());
        void line.pass(from, to, oneWay, bitsPerSecond);
      }
    });
    return line;
  }

  close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  /** Bytes arrive `oneWay` after they have left, and leave no faster than the line is wide. */
  private async pass(from: Socket, to: Socket, oneWay: number, bitsPerSecond: number): Promise<void> {
    let free = performance.now();
    let last = Promise.resolve();
    try {
      for await (const piece of from as AsyncIterable<Buffer>) {
        this.bytes += piece.length;
        free = Math.max(free, performance.now()) + (8000 * piece.length) / bitsPerSecond;
        const arrival = free + oneWay;
        last = last.then(async () => {
          await setTimeout(Math.max(0, arrival - performance.now()));
          if (!to.destroyed) to.write(piece);
        });
        await setTimeout(Math.max(0, free - performance.now())); // a full line takes no more
      }
    } catch {
      // One side is gone; so is the other, soon.
    }
    await last;
    to.end();
  }
}
