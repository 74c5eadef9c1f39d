import type { Socket } from 'node:net';
import {
  createMessageConnection,
  type MessageConnection,
  StreamMessageReader,
  StreamMessageWriter,
} from 'vscode-jsonrpc/node.js';
import { version } from '../../package.json';
import { UnimissError } from '../../protocol/errors.ts';
import { initialize, initialized, oldestProtocolVersion, protocolVersion } from '../../protocol/lifecycleMessages.ts';
import {
  type CheckedParamsOf,
  call,
  listen,
  type NotificationType,
  notify,
  type ParamsOf,
  type RequestType,
  type ResultOf,
} from '../../protocol/rpc.ts';

import { isConnectionLost } from '../../protocol/wireError.ts';
import type { DaemonPaths } from './paths.ts';
import { connectOrStart, type DaemonCommand } from './startDaemon.ts';

/** How often a connection may end before the daemon has said a word. */
const ATTEMPTS = 3;

/** Time to read what arrived before a connection was closed, ms. */
const READ_ON = 100;

/** A conversation with the daemon, opened: for the command line and for tests. */
export class DaemonClient {
  /** Resolves when the connection is over; rejects where that was because the daemon said what nobody understands. */
  readonly closed: Promise<void>;

  private misunderstood: UnimissError | undefined;

  private constructor(
    private readonly socket: Socket,
    private readonly connection: MessageConnection,
    readonly daemon: ResultOf<typeof initialize>,
  ) {
    this.closed = new Promise((resolve, reject) => {
      socket.once('close', () => (this.misunderstood ? reject(this.misunderstood) : resolve()));
    });
  }

  /** As `open`, with the daemon of a place, which is started where there is none. */
  static async start(paths: DaemonPaths, command: DaemonCommand): Promise<DaemonClient> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await DaemonClient.open(await connectOrStart(paths, command));
      } catch (error) {
        // A daemon that is just dying may still take a connection.
        if (attempt === ATTEMPTS || !(error instanceof UnimissError && isConnectionLost(error.details.cause)))
          throw error;
      }
    }
  }

  /** @throws UnimissError where the daemon speaks no version that this program speaks */
  static async open(socket: Socket, protocol = protocolVersion): Promise<DaemonClient> {
    const connection = createMessageConnection(new StreamMessageReader(socket), new StreamMessageWriter(socket));
    socket.on('error', () => {}); // the connection is closed then, and what is asked of it rejected
    connection.listen();
    // A daemon that dies leaves questions without answer: vscode-jsonrpc rejects them only when it is disposed. What arrived
    // before is read first, which takes it some turns of the event loop.
    socket.once('close', () => setTimeout(() => connection.dispose(), READ_ON));
    const daemon = await call(connection, initialize, {
      processId: process.pid,
      clientInfo: { name: 'unimiss', version },
      capabilities: {},
      initializationOptions: { protocol },
    }).catch((error) => {
      socket.destroy();
      throw error;
    });
    if (daemon.unimiss.protocol < oldestProtocolVersion)
      throw new UnimissError(
        'run',
        `the daemon (${daemon.serverInfo.version}) is older than this program (${version})`,
        {
          remedy:
            'Restart it: `unimiss daemon stop`, with the program that started it. Its runs stop with a checkpoint.',
        },
      );
    await notify(connection, initialized, {});
    return new DaemonClient(socket, connection, daemon);
  }

  call<T extends RequestType>(type: T, params: ParamsOf<T>, token?: unknown): Promise<ResultOf<T>> {
    return call(this.connection, type, params, token);
  }

  /** Hands every notification of a type to `handler`. */
  listen<T extends NotificationType>(type: T, handler: (params: CheckedParamsOf<T>) => void): { dispose(): void } {
    return listen(this.connection, type, handler, (error) => {
      this.misunderstood = error;
      this.socket.destroy();
    });
  }

  close(): void {
    this.socket.end();
  }
}
