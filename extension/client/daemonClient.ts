import { setTimeout as delay } from 'node:timers/promises';
import { type CancellationToken, type Disposable, EventEmitter, type LogOutputChannel, l10n } from 'vscode';
import { ErrorCodes, type LanguageClient, State } from 'vscode-languageclient/node';
import { Unreachable } from '../../machines/sshErrors.ts';
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
import type { ConnectClient } from './languageClient.ts';
import { type Subscribed, Subscriptions } from './subscriptions.ts';

/** The state of the connection to the daemon. `idle`: nothing has needed it yet. */
export type ConnectionState =
  | { kind: 'idle' }
  | { kind: 'connecting'; again: boolean }
  | { kind: 'connected'; pid: number; version: string; runsRoot: string; control?: number }
  | { kind: 'failed'; error: UnimissError };

export interface Subscription {
  end(): Promise<void>;
}

/** Whether a connection is wanted by the user, or lost and made again. */
export type Occasion = 'first' | 'again';
type Pauses = Record<Occasion, readonly number[]>;

/** Pauses before another attempt to connect, ms. After the last attempt, the user has to reconnect. */
const usualPauses: Pauses = { first: [500, 2000], again: [100, 500, 1000, 2000, 4000, 8000, 8000] };

/** How a daemon is reached. */
export interface Way {
  /** Makes a client for one connection. @param signal aborted when the connection is no longer wanted */
  makeClient(occasion: Occasion, signal: AbortSignal): Promise<ConnectClient>;
  pauses?: Pauses;
  /** Whether attempts go on after the last pause, with that pause between them. */
  endless?: boolean;
}

/** A daemon that does not answer within this time counts as hanging, ms. Starting it may take a minute. */
const patience = 90_000;

/** Owns the connection to the daemon: connects on first use, reconnects after a loss, disconnects with the window. */
export class DaemonClient implements Disposable {
  private client: ConnectClient | undefined;
  private subscriptions: Subscriptions | undefined;
  private connection: Promise<LanguageClient> | undefined;
  /** Rises when the connection is abandoned, which invalidates earlier attempts. */
  private generation = 0;
  private current: ConnectionState = { kind: 'idle' };
  private readonly stateChanged = new EventEmitter<ConnectionState>();
  private readonly connected = new EventEmitter<void>();
  private readonly ended = new AbortController();
  /** Aborted when the present connection, or the attempt to make one, is abandoned. */
  private abandoned = new AbortController();

  readonly onDidChangeState = this.stateChanged.event;
  /** Fires after every connection, the first included. Subscribe here. */
  readonly onDidConnect = this.connected.event;

  constructor(
    private readonly way: Way,
    private readonly output: LogOutputChannel,
  ) {}

  get state(): ConnectionState {
    return this.current;
  }

  /** Resolves when connected. Throws UnimissError if that is impossible. */
  async connect(): Promise<void> {
    await this.open('first');
  }

  /** Sends a request; connects first if needed. Throws UnimissError: the daemon's own, or why the request cannot reach it. */
  async request<T extends RequestType>(type: T, params: ParamsOf<T>, token?: CancellationToken): Promise<ResultOf<T>> {
    return call(await this.open('first'), type, params, token);
  }

  /**
   * Subscribes on the present connection. Call it again after each `onDidConnect`.
   * @param answered receives the answer, before any update
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
        // The subscriptions ended with the connection.
        if (this.client === client && client.isRunning()) await call(client, unsubscribe, { subscription });
      },
    };
  }

  /** The connection itself, for LSP's progress. */
  async languageClient(): Promise<LanguageClient> {
    return this.open('first');
  }

  /** Drops the connection and makes a new one. */
  async reconnect(): Promise<void> {
    await this.close();
    await this.connect();
  }

  /**
   * Asks the daemon to make room for another, and resolves when connected to the new one. The new daemon takes over the runs; the
   * old one stays for runs that the new one cannot control. Throws UnimissError if the new one cannot be reached.
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
      if (!wasCutOff(error)) throw error; // otherwise, its end is the answer
    });
    await Promise.all([asked, replaced]);
  }

  /** Ends the connection; the daemon and its runs go on. */
  async close(): Promise<void> {
    const { client } = this;
    this.generation++;
    this.abandoned.abort();
    this.abandoned = new AbortController();
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

  private open(occasion: Occasion): Promise<LanguageClient> {
    if (this.connection) return this.connection;
    const connection = this.attempt(occasion);
    this.connection = connection;
    connection.catch(() => {
      if (this.connection === connection) this.connection = undefined;
    });
    return connection;
  }

  private async attempt(occasion: Occasion): Promise<LanguageClient> {
    this.setState({ kind: 'connecting', again: occasion === 'again' });
    const { generation } = this;
    for (let tried = 0; ; tried++) {
      try {
        return await this.start(occasion);
      } catch (cause) {
        if (generation !== this.generation) throw interrupted();
        const error = fromWireError(cause, 'unimiss connect');
        this.output.error(`No connection to the background server: ${error.message}`);
        const { pauses = usualPauses, endless } = this.way;
        const pause = pauses[occasion][tried] ?? (endless && occasion === 'again' ? pauses.again.at(-1) : undefined);
        // A daemon that refuses a client of another version will refuse it again. A daemon that was just ending has a successor.
        const hope = error.code === 'internal' || error instanceof Unreachable || isConnectionLost(error.details.cause);
        if (pause === undefined || !hope) {
          this.setState({ kind: 'failed', error });
          throw error;
        }
        await delay(pause, undefined, { signal: this.ended.signal });
        if (generation !== this.generation) throw interrupted();
      }
    }
  }

  private async start(occasion: Occasion): Promise<LanguageClient> {
    const { generation, abandoned } = this;
    const client = await this.way.makeClient(occasion, abandoned.signal);
    if (generation !== this.generation) {
      await client.end();
      throw interrupted();
    }
    this.client = client;
    client.onDidChangeState(({ oldState, newState }) => {
      // The connection was lost, not closed: `close` forgets the client first.
      if (newState !== State.Stopped || oldState !== State.Running || this.client !== client) return;
      this.connection = undefined;
      this.output.warn('The connection to the background server was lost.');
      void client.end();
      this.open('again').catch(() => {}); // the state shows the failure
    });
    const hangs = new AbortController();
    try {
      const late = delay(patience, undefined, { signal: hangs.signal }).then(() => {
        throw doesNotAnswer();
      });
      // If the connection ends before the handshake is answered, the first promise resolves, and only the second rejects.
      await Promise.race([Promise.all([client.start(), client.start()]), late]);
    } catch (error) {
      const lastWords = await client.end();
      throw isConnectionLost(error) ? unreachable(error, lastWords) : error;
    } finally {
      hangs.abort();
    }
    if (this.client !== client) throw interrupted();
    if (!client.isRunning())
      throw new UnimissError('internal', l10n.t('it exited immediately'), {
        place: 'unimiss connect',
        remedy: l10n.t('Its last output is in the log (UniMiSS: Show Log).'),
      });
    const { serverInfo, unimiss } = check(initialize.result, client.initializeResult, l10n.t('initialize: answer'));
    this.subscriptions = new Subscriptions(client, (error) => this.output.error(error.message));
    const { pid, runsRoot, control } = unimiss;
    const { version } = serverInfo;
    this.setState({ kind: 'connected', pid, version, runsRoot, ...(control !== undefined && { control }) });
    this.output.info(
      `Connected to the background server ${serverInfo.version} (process ${unimiss.pid}), runs in ${unimiss.runsRoot}`,
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
  return new UnimissError('interrupted', l10n.t('the connection to the background server was closed'));
}

/** The connection ended before the handshake. */
function unreachable(cause: unknown, lastWords: string): UnimissError {
  const remedy = lastWords || l10n.t('See the log for details (UniMiSS: Show Log).');
  return new UnimissError('daemon', l10n.t('the UniMiSS background server is not responding'), { remedy, cause });
}

function doesNotAnswer(): UnimissError {
  return new UnimissError('daemon', l10n.t('the background server has not answered for {0} s', patience / 1000), {
    remedy: l10n.t('If its process hangs, kill it. Its runs continue. Then try again.'),
  });
}

/** Whether a request was not answered because the connection ended. */
function wasCutOff({ details }: UnimissError): boolean {
  const code = (details.cause as { code?: unknown } | undefined)?.code;
  return code === ErrorCodes.PendingResponseRejected;
}
