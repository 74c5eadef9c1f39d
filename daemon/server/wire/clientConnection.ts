import type { Socket } from 'node:net';
import {
  type CancellationToken,
  createMessageConnection,
  type MessageConnection,
  type MessageStrategy,
  ResponseError,
  StreamMessageReader,
} from 'vscode-jsonrpc/node.js';
import { z } from 'zod';
import { FrameGuard } from '../../../protocol/daemon/frameGuard.ts';
import {
  exit,
  initialize,
  initialized,
  oldestProtocolVersion,
  protocolVersion,
  unsubscribe,
} from '../../../protocol/daemon/lifecycleMessages.ts';
import { largestMessageBytes } from '../../../protocol/daemon/messages.ts';
import { check, type NotificationType, type ParamsOf } from '../../../protocol/daemon/rpc.ts';
import { type ErrorData, rpcErrorCodes, toErrorData } from '../../../protocol/daemon/wireError.ts';
import { messageOf, UnimissError } from '../../../protocol/errors.ts';
import type { ClientSession } from './clientSession.ts';
import { CountingWriter } from './countingWriter.ts';
import type { Handler, RequestContext } from './handler.ts';
import { greet } from './handshake.ts';
import { answerToInvalid } from './invalidRequest.ts';
import type { Send, Subscription } from './subscription.ts';

export interface ConnectionOptions {
  handlers: ReadonlyMap<string, Handler>;
  /** What this client has for itself. */
  session?(send: Send): ClientSession;
  /** What the daemon says about itself in the handshake. */
  about: { version: string; runsRoot: string; capabilities?: object };
  log(level: 'info' | 'warning', message: string): void;
  /** Time limit for a client's handshake, ms; then the connection closes. */
  handshakeMs?: number;
}

/** Largest message before the handshake, bytes. */
const FIRST_MESSAGES = 1 << 20;
/** While this many requests are unanswered or answers unsent, the daemon reads nothing more from a client. */
const MOST_PENDING = 256;
const MOST_SUBSCRIPTIONS = 256;
/** Time for a client to take its last answers after the daemon closes it, ms. */
const LAST_ANSWERS = 2000;
/** Time limit for requests of a client that has closed its side, ms: it may be gone. */
const LAST_WORK = 30_000;

/**
 * One client: its handshake, requests and subscriptions. Whatever it sends cannot harm the daemon or other clients: anything but
 * a message ends its connection, and the daemon reads nothing from a client that does not read.
 */
export class ClientConnection {
  private readonly connection: MessageConnection;
  /** The end of the stream counts as `exit`. */
  private readonly guard = new FrameGuard(FIRST_MESSAGES, { jsonrpc: '2.0', method: exit.method });
  private readonly writer: CountingWriter;
  private readonly subscriptions = new Map<string, Subscription>();
  private readonly gone = new AbortController();
  private readonly session: ClientSession | undefined;
  private readonly handshake: NodeJS.Timeout;
  private state: 'new' | 'open' | 'shut' = 'new';
  private closing: NodeJS.Timeout | undefined;
  /** The input has ended; owed answers are still written. */
  private heardAll = false;
  private refused = false;
  private pending = 0;
  private nextId = 0;
  private name = 'a client';

  constructor(
    private readonly socket: Socket,
    private readonly options: ConnectionOptions,
    onClose: () => void,
  ) {
    const { log, handshakeMs = 30_000 } = options;
    this.writer = new CountingWriter(socket, () => this.regulate());
    const warn = (message: string) => log('warning', `${this.name}: ${message}`);
    const logger = { error: warn, warn, info: () => {}, log: () => {} };
    const messageStrategy: MessageStrategy = {
      handleMessage: (message, next) => {
        const answer = answerToInvalid(message);
        if (!answer) return next(message);
        warn(answer.error?.message ?? '');
        this.writer.write(answer).catch(() => {}); // it is gone
      },
    };
    this.connection = createMessageConnection(new StreamMessageReader(this.guard), this.writer, logger, {
      messageStrategy,
    });
    this.session = options.session?.((type, params) => this.send(type, params));
    this.connection.onRequest((method, params, token) => this.answer(method, params, token));
    this.connection.onNotification((method, params) => this.notified(method, params));
    this.connection.onError(([error]) => this.refuse(error));
    socket.on('error', () => {}); // `close` follows, which is all that matters
    socket.on('end', () => this.expire(LAST_WORK));
    socket.on('close', () => {
      this.end();
      onClose();
    });
    this.handshake = setTimeout(() => {
      log('warning', 'disconnected a client that sent nothing');
      socket.destroy();
    }, handshakeMs);
    this.connection.listen();
    socket.pipe(this.guard);
  }

  notify: Subscription['notify'] = (folder, change) => {
    for (const subscription of this.subscriptions.values()) subscription.notify(folder, change);
  };

  /** Answers open requests, sends the answers, then closes. Does not wait for a client that does not take them. */
  close(): void {
    clearTimeout(this.closing);
    this.closing = undefined;
    this.expire(LAST_ANSWERS);
    this.socket.unpipe(this.guard);
    // Earlier messages are handled, in order, before the guard's last message.
    if (!this.guard.errored) this.guard.end();
  }

  /** Ends the connection after `limit`, even if answers are owed; an earlier limit stays. */
  private expire(limit: number): void {
    this.closing ??= setTimeout(() => this.socket.destroy(), limit);
  }

  private end(): void {
    clearTimeout(this.handshake);
    clearTimeout(this.closing);
    this.gone.abort();
    for (const subscription of this.subscriptions.values()) subscription.close();
    this.subscriptions.clear();
    this.session?.end();
    this.connection.dispose();
    this.guard.destroy();
  }

  private async answer(method: string, params: unknown, token: CancellationToken): Promise<unknown> {
    this.pending++;
    this.regulate();
    try {
      if (method === initialize.method) return this.initialize(params);
      if (this.state === 'new') throw new ResponseError(rpcErrorCodes.notInitialized, 'send `initialize` first');
      if (this.state === 'shut') throw new ResponseError(rpcErrorCodes.invalidRequest, 'the session was shut down');
      return await this.handle(method, params, token);
    } catch (error) {
      throw error instanceof ResponseError ? error : failure(error);
    } finally {
      this.pending--;
      this.regulate();
    }
  }

  private async handle(method: string, params: unknown, token: CancellationToken): Promise<unknown> {
    if (method === 'shutdown') {
      this.state = 'shut';
      return null;
    }
    const handler = this.options.handlers.get(method) ?? this.session?.handlers.get(method);
    if (!handler) throw new ResponseError(rpcErrorCodes.methodNotFound, `unknown method ${method}`);
    const checked = handler.type.params.safeParse(params ?? {});
    if (!checked.success) throw invalidParams(method, checked.error);
    const cancel = new AbortController();
    const cancelling = token.onCancellationRequested(() => cancel.abort());
    try {
      const context: RequestContext = {
        client: this,
        signal: AbortSignal.any([cancel.signal, this.gone.signal]),
        send: (type, params) => this.send(type, params),
        subscribe: (open) => this.subscribe(open),
        unsubscribe: (id) => this.unsubscribe(id),
      };
      return check(handler.type.result, await handler.answer(checked.data, context), `${method}: answer`);
    } catch (error) {
      if (cancel.signal.aborted) throw new ResponseError(rpcErrorCodes.cancelled, `${method} was cancelled`);
      throw error;
    } finally {
      cancelling.dispose();
    }
  }

  private initialize(params: unknown): unknown {
    if (this.state !== 'new') throw new ResponseError(rpcErrorCodes.invalidRequest, 'send `initialize` only once');
    const checked = initialize.params.safeParse(params ?? {});
    if (!checked.success) throw invalidParams(initialize.method, checked.error);
    const { about } = this.options;
    const { result, client } = greet(checked.data, about, { newest: protocolVersion, oldest: oldestProtocolVersion });
    clearTimeout(this.handshake);
    this.name = client;
    this.state = 'open';
    this.guard.largest = largestMessageBytes;
    return result;
  }

  private notified(method: string, params: unknown): void {
    const warn = (message: string) => this.options.log('warning', `${this.name}: ${message}`);
    if (method === exit.method) this.finish();
    if (method === exit.method || method === initialized.method || method.startsWith('$/')) return;
    const listener = this.session?.listeners.get(method);
    const checked = listener?.type.params.safeParse(params ?? {});
    if (!listener || !checked) warn(`unknown notification: ${method.slice(0, 100)}`);
    else if (this.state !== 'open') warn(`${method} outside of the session`);
    else if (!checked.success) warn(`${method} does not match the protocol: ${z.prettifyError(checked.error)}`);
    else listener.hear(checked.data);
  }

  private async send<T extends NotificationType>(type: T, params: ParamsOf<T>): Promise<void> {
    if (this.gone.signal.aborted) return;
    await this.connection.sendNotification(type.method, check(type.params, params, `${type.method}: params`));
  }

  private async subscribe(
    open: (id: string, failed: (error: unknown) => void) => Promise<Subscription> | Subscription,
  ): Promise<string> {
    if (this.subscriptions.size >= MOST_SUBSCRIPTIONS)
      throw new UnimissError('run', `this client already has ${MOST_SUBSCRIPTIONS} subscriptions`, {
        remedy: `End some with ${unsubscribe.method}.`,
      });
    const id = String(++this.nextId);
    const subscription = await open(id, (error) => {
      if (!this.gone.signal.aborted)
        this.options.log('warning', `${this.name}: subscription ${id} ended: ${messageOf(error)}`);
      this.unsubscribe(id);
    });
    if (this.gone.signal.aborted) subscription.close();
    else this.subscriptions.set(id, subscription);
    return id;
  }

  private unsubscribe(id: string): void {
    this.subscriptions.get(id)?.close();
    this.subscriptions.delete(id);
  }

  /** Reads from a client only while it takes its answers. */
  private regulate(): void {
    // An answer is written shortly after it was returned.
    if (this.heardAll && this.pending + this.writer.waiting === 0) setImmediate(() => this.leave());
    const full = this.pending + this.writer.waiting > MOST_PENDING;
    if (full && !this.socket.isPaused()) this.socket.pause();
    else if (!full && this.socket.isPaused()) this.socket.resume();
  }

  /** Closes as soon as all answers have left. */
  private finish(): void {
    this.heardAll = true;
    for (const id of this.subscriptions.keys()) this.unsubscribe(id);
    this.expire(LAST_WORK);
    this.socket.unpipe(this.guard);
    this.regulate(); // discards further input
  }

  private leave(): void {
    if (this.pending + this.writer.waiting === 0) this.socket.destroySoon();
  }

  /** Sends the reason and ends the connection: after something that is no message, the next one cannot be found. */
  private refuse(error: Error): void {
    if (this.refused || this.gone.signal.aborted || this.socket.destroyed) return;
    this.refused = true;
    this.options.log('warning', `${this.name}: disconnected: ${error.message}`);
    this.socket.unpipe(this.guard);
    this.socket.resume(); // discards further input, so that the client can read the answer before the end
    const reply = { jsonrpc: '2.0', id: null, error: { code: rpcErrorCodes.parseError, message: error.message } };
    this.writer
      .write(reply as never)
      .catch(() => {}) // it is gone
      .finally(() => {
        this.finish();
        this.close();
      });
  }
}

function invalidParams(method: string, error: z.ZodError): ResponseError<ErrorData> {
  const thrown = new UnimissError('internal', `does not match the protocol: ${z.prettifyError(error)}`, {
    place: `${method}: params`,
    remedy: 'See docs/protocol.md.',
  });
  return new ResponseError(rpcErrorCodes.invalidParams, thrown.message, toErrorData(thrown));
}

function failure(error: unknown): ResponseError<ErrorData> {
  return new ResponseError(rpcErrorCodes.requestFailed, messageOf(error), toErrorData(error));
}
