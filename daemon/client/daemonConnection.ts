import type { Socket } from 'node:net';
import {
  ConnectionError,
  createMessageConnection,
  ErrorCodes,
  type MessageConnection,
  ResponseError,
  StreamMessageReader,
} from 'vscode-jsonrpc/node.js';
import { version } from '../../package.json';
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
import { FrameGuard } from '../server/wire/frameGuard.ts';

/** How often a connection may end before the daemon has said a word. */
const ATTEMPTS = 3;

/** A daemon that has not answered the handshake after so long hangs, ms. */
const PATIENCE = 60_000;

/** Comes from the guard when the connection is over, after all that the daemon said. */
const over = 'unimiss/over';

/** A conversation with the daemon, opened: for the command line and for tests. */
export class DaemonConnection {
  /** Resolves when the connection is over and all that the daemon said was dealt with; rejects where nobody understands it. */
  readonly closed: Promise<void>;

  private misunderstood: UnimissError | undefined;

  private constructor(
    private readonly socket: Socket,
    private readonly writer: CountingWriter,
    private readonly connection: MessageConnection,
    readonly daemon: ResultOf<typeof initialize>,
  ) {
    this.closed = new Promise((resolve, reject) => {
      connection.onDispose(() => (this.misunderstood ? reject(this.misunderstood) : resolve()));
    });
    this.closed.catch(() => {}); // for whoever waits for it
  }

  /** As `open`, with the daemon of a place, which is started where there is none. */
  static async start(paths: DaemonPaths, command: DaemonCommand): Promise<DaemonConnection> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await DaemonConnection.open(await connectOrStart(paths, command));
      } catch (error) {
        // A daemon that is just dying may still take a connection.
        if (attempt === ATTEMPTS || !(error instanceof UnimissError && isConnectionLost(error.details.cause)))
          throw error;
      }
    }
  }

  /** @throws UnimissError 'daemon' where the daemon does not answer, or speaks no version that this program speaks */
  static async open(
    socket: Socket,
    { protocol = protocolVersion, patience = PATIENCE } = {},
  ): Promise<DaemonConnection> {
    const heard = new FrameGuard(Number.MAX_SAFE_INTEGER, { jsonrpc: '2.0', method: over });
    // What is asked of a daemon that is gone is rejected when the connection is disposed, as what was asked before.
    const writer = new CountingWriter(socket, undefined, () => socket.destroy());
    const connection = createMessageConnection(new StreamMessageReader(heard), writer);
    socket.on('error', () => {}); // the connection is closed then, and what is asked of it rejected
    heard.on('error', () => socket.destroy());
    // A daemon that dies leaves questions without answer: vscode-jsonrpc rejects them only when it is disposed. What arrived
    // before is dealt with first.
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

  /** @throws UnimissError: that of the daemon, or 'daemon' where the connection is over before the answer */
  async call<T extends RequestType>(type: T, params: ParamsOf<T>, token?: unknown): Promise<ResultOf<T>> {
    try {
      return await call(this.connection, type, params, token);
    } catch (error) {
      const { cause, message } = error as UnimissError & { cause?: unknown };
      if (!(cause instanceof ConnectionError)) throw error;
      // It was over before this was asked.
      throw fromWireError(new ResponseError(ErrorCodes.PendingResponseRejected, message), type.method);
    }
  }

  /** Hands every notification of a type to `handler`. */
  listen<T extends NotificationType>(type: T, handler: (params: CheckedParamsOf<T>) => void): { dispose(): void } {
    return listen(this.connection, type, handler, (error) => {
      this.misunderstood = error;
      this.socket.destroy();
    });
  }

  /** Says no more; what was asked before is still answered. */
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
