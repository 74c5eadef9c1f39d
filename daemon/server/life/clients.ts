import { once } from 'node:events';
import { chmod } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { diskError } from '../../files/atomic.ts';
import type { LogLine } from '../../runs/folder/log.ts';
import type { RunChange } from '../../runs/supervise/supervisor.ts';
import { ClientConnection, type ConnectionOptions } from '../wire/clientConnection.ts';

const MOST_CLIENTS = 200;

/** The clients of a daemon, and the socket at which they come. */
export class Clients {
  private readonly connected = new Set<ClientConnection>();
  private server: Server | undefined;

  /** @param changed called when a client has come or gone */
  constructor(
    private readonly options: ConnectionOptions & { readonly log: LogLine },
    private readonly changed: () => void,
  ) {}

  get count(): number {
    return this.connected.size;
  }

  /** Notifies all: of one run, or of everything. */
  notify(folder?: string, change?: RunChange): void {
    for (const client of this.connected) client.notify(folder, change);
  }

  /** A client that has closed its side may still read the answers. @throws UnimissError 'disk' */
  async listen(socket: string): Promise<void> {
    this.server = createServer({ allowHalfOpen: true }, (connection) => this.accept(connection));
    this.server.listen(socket);
    await once(this.server, 'listening').catch((error) => {
      throw diskError(error, socket);
    });
    await chmod(socket, 0o600);
  }

  /** Closes the socket, which removes its file, and all connections once their answers are sent. */
  async close(): Promise<void> {
    if (!this.server) return;
    const closed = once(this.server, 'close');
    this.server.close();
    for (const client of this.connected) client.close();
    await closed;
  }

  private accept(socket: Socket): void {
    if (this.connected.size >= MOST_CLIENTS) {
      this.options.log('warning', `rejected a client: ${MOST_CLIENTS} are connected already`);
      socket.destroy();
      return;
    }
    const client = new ClientConnection(socket, this.options, () => {
      this.connected.delete(client);
      this.changed();
    });
    this.connected.add(client);
    this.changed();
  }
}
