import type { Duplex } from 'node:stream';
import {
  ConnectionError,
  createMessageConnection,
  ErrorCodes,
  type MessageConnection,
  ResponseError,
  StreamMessageReader,
} from 'vscode-jsonrpc/node.js';
import { version } from '../../package.json';
import { FrameGuard } from '../../protocol/daemon/frameGuard.ts';
import {
  initialize,
  initialized,
  oldestProtocolVersion,
  protocolVersion,
} from '../../protocol/daemon/lifecycleMessages.ts';
import {
  type CheckedParamsOf,
  call,
  listen,
  type NotificationType,
  notify,
  type ParamsOf,
  type RequestType,
  type ResultOf,
} from '../../protocol/daemon/rpc.ts';
import { fromWireError, isConnectionLost } from '../../protocol/daemon/wireError.ts';
import { UnimissError } from '../../protocol/errors.ts';
import type { DaemonPaths } from '../server/life/paths.ts';
import { connectOrStart, type DaemonCommand } from '../server/life/startDaemon.ts';
import { CountingWriter } from '../server/wire/countingWriter.ts';

/** How often a connection may end before the daemon's first message. */
const ATTEMPTS = 3;

/** A daemon that does not answer the handshake within this time counts as hanging, ms. */
const PATIENCE = 60_000;

/** The guard sends this when the connection is over, after all messages of the daemon. */
const over = 'unimiss/over';

/** An open connection to the daemon, for the command line and for tests. */
export class DaemonConnection {
  /**
   * Resolves when the connection is over and all messages of the daemon are handled; rejects if the daemon sent something
   * unintelligible.
   */
  readonly closed: Promise<void>;

  private misunderstood: UnimissError | undefined;

  private constructor(
    private readonly socket: Duplex,
    private readonly writer: CountingWriter,
    private readonly connection: MessageConnection,
    readonly daemon: ResultOf<typeof initialize>,
  ) {
    this.closed = new Promise((resolve, reject) => {
      connection.onDispose(() => (this.misunderstood ? reject(this.misunderstood) : resolve()));
    });
    this.closed.catch(() => {}); // only callers that wait for it need the error
  }

  /** As `open`, with the daemon of a place; starts it if none runs. */
  static async start(paths: DaemonPaths, command: DaemonCommand): Promise<DaemonConnection> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await DaemonConnection.open(await connectOrStart(paths, command));
      } catch (error) {
        // A dying daemon may still accept a connection.
        if (attempt === ATTEMPTS || !(error instanceof UnimissError && isConnectionLost(error.details.cause)))
          throw error;
      }
    }
  }

  /**
   * @param socket to the daemon: its Unix socket, or the streams of `unimiss connect`
   * @throws UnimissError 'daemon' if the daemon does not answer, or shares no protocol version with this program
   */
  static async open(
    socket: Duplex,
    { protocol = protocolVersion, patience = PATIENCE } = {},
  ): Promise<DaemonConnection> {
    const heard = new FrameGuard(Number.MAX_SAFE_INTEGER, { jsonrpc: '2.0', method: over });
    // Requests to a daemon that has ended are rejected when the connection is disposed, like earlier ones.
    const writer = new CountingWriter(socket, undefined, () => socket.destroy());
    const connection = createMessageConnection(new StreamMessageReader(heard), writer);
    socket.on('error', () => {}); // the connection then closes, and its requests are rejected
    heard.on('error', () => socket.destroy());
    // A dying daemon leaves requests unanswered: vscode-jsonrpc rejects them only when disposed. Messages that arrived before are
    // handled first.
    connection.onNotification(over, () => connection.dispose());
    socket.once('close', () => (heard.errored ? connection.dispose() : heard.end()));
    socket.pipe(heard);
    connection.listen();
    let hangs = false;
    const late = setTimeout(() => {
      hangs = true;
      socket.destroy();
    }, patience);
    try {
      const hello = { processId: process.pid, clientInfo: { name: 'unimiss', version }, capabilities: {} };
      const daemon = await call(connection, initialize, { ...hello, initializationOptions: { protocol } });
      if (daemon.unimiss.protocol < oldestProtocolVersion) throw tooOld(daemon.serverInfo.version);
      await notify(connection, initialized, {});
      return new DaemonConnection(socket, writer, connection, daemon);
    } catch (error) {
      socket.destroy();
      throw hangs ? doesNotAnswer(patience) : error;
    } finally {
      clearTimeout(late);
    }
  }

  /** @throws UnimissError: that of the daemon, or 'daemon' if the connection ends before the answer */
  async call<T extends RequestType>(type: T, params: ParamsOf<T>, token?: unknown): Promise<ResultOf<T>> {
    try {
      return await call(this.connection, type, params, token);
    } catch (error) {
      const { cause, message } = error as UnimissError & { cause?: unknown };
      if (!(cause instanceof ConnectionError)) throw error;
      // The connection ended before this request.
      throw fromWireError(new ResponseError(ErrorCodes.PendingResponseRejected, message), type.method);
    }
  }

  /** Passes every notification of a type to `handler`. */
  listen<T extends NotificationType>(type: T, handler: (params: CheckedParamsOf<T>) => void): { dispose(): void } {
    return listen(this.connection, type, handler, (error) => {
      this.misunderstood = error;
      this.socket.destroy();
    });
  }

  /** Closes this side; earlier requests are still answered. */
  close(): void {
    this.writer.endWhenWritten();
  }
}

function tooOld(daemon: string): UnimissError {
  return new UnimissError('daemon', `the daemon (${daemon}) is older than this program (${version})`, {
    remedy: 'Restart it: run `unimiss daemon stop` with the program that started it.',
  });
}

function doesNotAnswer(ms: number): UnimissError {
  return new UnimissError('daemon', `the daemon accepts connections, but has not responded for ${ms / 1000} s`, {
    remedy: 'If it hangs, kill its process. Its runs continue, and the next command restarts the daemon.',
  });
}
