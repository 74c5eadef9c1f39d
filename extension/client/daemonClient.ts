import { setTimeout as delay } from 'node:timers/promises';
import {
  type CancellationToken,
  type Disposable,
  EventEmitter,
  type ExtensionContext,
  type LogOutputChannel,
} from 'vscode';
import { ErrorCodes, type LanguageClient, State } from 'vscode-languageclient/node';
import { daemonStop, initialize, stopParams, unsubscribe } from '../../protocol/daemon/messages.ts';
import {
  type CheckedParamsOf,
  call,
  check,
  type ParamsOf,
  type RequestType,
  type ResultOf,
} from '../../protocol/daemon/rpc.ts';
import { fromWireError, isConnectionLost } from '../../protocol/daemon/wireError.ts';
import { UnimissError } from '../../protocol/errors.ts';
import { controlVersion } from '../../protocol/runs/trainerMessages.ts';
import { type ConnectClient, makeLanguageClient } from './languageClient.ts';
import { type Subscribed, Subscriptions } from './subscriptions.ts';

/** How it stands with the daemon. `idle`: nobody has needed it yet. */
export type ConnectionState =
  | { kind: 'idle' }
  | { kind: 'connecting'; again: boolean }
  | { kind: 'connected'; pid: number; version: string; runsRoot: string; control?: number }
  | { kind: 'failed'; error: UnimissError };

export interface Subscription {
  end(): Promise<void>;
}

/** Pauses before another attempt to connect, ms; after the last one it is left to the user. */
const pauses = { first: [500, 2000], again: [100, 500, 1000, 2000, 4000, 8000, 8000] };
/** A daemon that has not answered after so long hangs, ms; to start it may take a minute. */
const patience = 90_000;

/** Owns the connection to the daemon: makes it when first needed, makes it again when it is lost, ends it with the window. */
export class DaemonClient implements Disposable {
  private client: ConnectClient | undefined;
  private subscriptions: Subscriptions | undefined;
  private connection: Promise<LanguageClient> | undefined;
  /** Rises when the connection is given up: attempts of before then come to nothing. */
  private generation = 0;
  private current: ConnectionState = { kind: 'idle' };
  private readonly stateChanged = new EventEmitter<ConnectionState>();
  private readonly connected = new EventEmitter<void>();
  private readonly ended = new AbortController();

  readonly onDidChangeState = this.stateChanged.event;
  /** After each connection, the first and every later one: the place to subscribe (again). */
  readonly onDidConnect = this.connected.event;

  constructor(
    private readonly context: ExtensionContext,
    private readonly output: LogOutputChannel,
  ) {}

  get state(): ConnectionState {
    return this.current;
  }

  /** Resolves once there is a connection. Throws UnimissError where none can be made. */
  async connect(): Promise<void> {
    await this.open('first');
  }

  /** Sends a request; connects first where needed. Throws UnimissError: the daemon's own, or why it cannot be asked. */
  async request<T extends RequestType>(type: T, params: ParamsOf<T>, token?: CancellationToken): Promise<ResultOf<T>> {
    return call(await this.open('first'), type, params, token);
  }

  /**
   * Subscribes on the present connection; to be done again after each `onDidConnect`.
   * @param answered is given the answer, before any update
   */
  async subscribe<T extends RequestType, N extends Subscribed>(
    type: T,
    params: ParamsOf<T>,
    answered: (answer: ResultOf<T>) => void,
    updates: N,
    updated: (update: CheckedParamsOf<N>) => void,
  ): Promise<Subscription> {
    const client = await this.open('first');
    let subscription = '';
    const ask = async () => (await call(client, type, params)) as ResultOf<T> & { subscription: string };
    const silence = await this.subscriptions!.add(
      updates,
      ask,
      (answer) => {
        subscription = answer.subscription;
        answered(answer);
      },
      updated,
    );
    return {
      end: async () => {
        silence.dispose();
        // With the connection its subscriptions have ended.
        if (this.client === client && client.isRunning()) await call(client, unsubscribe, { subscription });
      },
    };
  }

  /** The connection itself, for LSP's progress. */
  async languageClient(): Promise<LanguageClient> {
    return this.open('first');
  }

  /** Gives up the connection and makes another. */
  async reconnect(): Promise<void> {
    await this.close();
    await this.connect();
  }

  /**
   * Has the daemon make room for another, and resolves once there is a connection to that. The new one takes over the runs; those that
   * it cannot steer keep the old one. Throws UnimissError where the new one cannot be reached.
   */
  async restart(): Promise<void> {
    await this.open('first');
    const replaced = new Promise<void>((resolve, reject) => {
      const watching = this.onDidChangeState((state) => {
        if (state.kind === 'connecting') return;
        watching.dispose();
        if (state.kind === 'connected') resolve();
        else reject(state.kind === 'failed' ? state.error : interrupted());
      });
    });
    const control = this.current.kind === 'connected' ? this.current.control : undefined;
    const asked = this.request(daemonStop, stopParams(control, controlVersion)).catch((error) => {
      if (!wasCutOff(error)) throw error; // else that it ended is the answer
    });
    await Promise.all([asked, replaced]);
  }

  /** Ends the connection; the daemon and its runs go on. */
  async close(): Promise<void> {
    const { client } = this;
    this.generation++;
    this.client = undefined;
    this.connection = undefined;
    this.setState({ kind: 'idle' });
    await client?.end();
  }

  async dispose(): Promise<void> {
    this.ended.abort();
    await this.close();
    this.stateChanged.dispose();
    this.connected.dispose();
  }

  private open(occasion: keyof typeof pauses): Promise<LanguageClient> {
    if (this.connection) return this.connection;
    const connection = this.attempt(occasion);
    this.connection = connection;
    connection.catch(() => {
      if (this.connection === connection) this.connection = undefined;
    });
    return connection;
  }

  private async attempt(occasion: keyof typeof pauses): Promise<LanguageClient> {
    this.setState({ kind: 'connecting', again: occasion === 'again' });
    const { generation } = this;
    for (let tried = 0; ; tried++) {
      try {
        return await this.start();
      } catch (cause) {
        if (generation !== this.generation) throw interrupted();
        const error = fromWireError(cause, 'unimiss connect');
        this.output.error(`No connection to the daemon: ${error.message}`);
        const pause = pauses[occasion][tried];
        // What the daemon itself refuses (a client of another version), it refuses again. One that was just ending is followed by another.
        const hope = error.code === 'internal' || isConnectionLost(error.details.cause);
        if (pause === undefined || !hope) {
          this.setState({ kind: 'failed', error });
          throw error;
        }
        await delay(pause, undefined, { signal: this.ended.signal });
        if (generation !== this.generation) throw interrupted();
      }
    }
  }

  private async start(): Promise<LanguageClient> {
    const client = makeLanguageClient(this.context, this.output);
    this.client = client;
    client.onDidChangeState(({ oldState, newState }) => {
      // Lost, not given up: `close` forgets the client first.
      if (newState !== State.Stopped || oldState !== State.Running || this.client !== client) return;
      this.connection = undefined;
      this.output.warn('The connection to the daemon was lost.');
      void client.end();
      this.open('again').catch(() => {}); // the state says it
    });
    const hangs = new AbortController();
    try {
      const late = delay(patience, undefined, { signal: hangs.signal }).then(() => {
        throw doesNotAnswer();
      });
      // Where the connection ends before the handshake is answered, the first resolves, and only the second says so.
      await Promise.race([Promise.all([client.start(), client.start()]), late]);
    } catch (error) {
      const lastWords = await client.end();
      throw isConnectionLost(error) ? unreachable(error, lastWords) : error;
    } finally {
      hangs.abort();
    }
    if (this.client !== client) throw interrupted();
    if (!client.isRunning())
      throw new UnimissError('internal', 'it exited immediately', {
        place: 'unimiss connect',
        remedy: 'Its last output is in the log (UniMiSS: Show Log).',
      });
    const { serverInfo, unimiss } = check(initialize.result, client.initializeResult, 'initialize: answer');
    this.subscriptions = new Subscriptions(client, (error) => this.output.error(error.message));
    const { pid, runsRoot, control } = unimiss;
    const { version } = serverInfo;
    this.setState({ kind: 'connected', pid, version, runsRoot, ...(control !== undefined && { control }) });
    this.output.info(
      `Connected to the daemon ${serverInfo.version} (process ${unimiss.pid}), runs in ${unimiss.runsRoot}`,
    );
    this.connected.fire();
    return client;
  }

  private setState(state: ConnectionState): void {
    if (this.ended.signal.aborted) return;
    this.current = state;
    this.stateChanged.fire(state);
  }
}

function interrupted(): UnimissError {
  return new UnimissError('interrupted', 'the connection to the daemon was closed');
}

/** The connection ended before it was one. */
function unreachable(cause: unknown, lastWords: string): UnimissError {
  const remedy = lastWords || 'See the log for details (UniMiSS: Show Log).';
  return new UnimissError('daemon', 'the daemon cannot be reached', { remedy, cause });
}

function doesNotAnswer(): UnimissError {
  return new UnimissError('daemon', `the daemon has not answered for ${patience / 1000} s`, {
    remedy: 'If its process hangs, kill it. Its runs continue. Then try again.',
  });
}

/** Whether a request was not answered because the connection ended. */
function wasCutOff({ details }: UnimissError): boolean {
  const code = (details.cause as { code?: unknown } | undefined)?.code;
  return code === ErrorCodes.PendingResponseRejected;
}
