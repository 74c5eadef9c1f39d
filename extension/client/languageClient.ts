import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { type ExtensionContext, type LogOutputChannel, Uri, workspace } from 'vscode';
import {
  CloseAction,
  ErrorAction,
  LanguageClient,
  type LanguageClientOptions,
  RevealOutputChannelOn,
  type StreamInfo,
} from 'vscode-languageclient/node';
import { protocolVersion } from '../../protocol/daemon/messages.ts';

/** Characters of what `unimiss connect` wrote to standard error that are kept. */
const lastWordsLength = 2000;

/** `unimiss connect`: joins its standard streams to the daemon, and starts that where none runs. */
class ConnectProcess {
  private child: ChildProcessWithoutNullStreams | undefined;
  private words = '';

  constructor(private readonly program: string) {}

  async start(): Promise<StreamInfo> {
    const child = spawn(process.execPath, [this.program, 'connect'], { env: daemonEnvironment() });
    this.child = child;
    child.stderr.on('data', (data) => {
      this.words = (this.words + String(data)).slice(-lastWordsLength);
    });
    child.stdin.on('error', () => {}); // it has ended: what it was to hear is lost with the connection
    await once(child, 'spawn');
    // A write that fails makes vscode-jsonrpc throw where nobody can catch it. This one takes all: that the process has ended is
    // seen by the end of what it says.
    const writer = new PassThrough();
    writer.pipe(child.stdin);
    return { writer, reader: child.stdout };
  }

  /** Ends it, and says what it last complained of. */
  async end(): Promise<string> {
    const { child } = this;
    if (child?.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      const closed = once(child, 'close');
      child.kill();
      await closed;
    }
    return this.words.trim();
  }
}

/** A client for one connection. It tells its failures to the log and to whoever started it, never in a notification of its own. */
export class ConnectClient extends LanguageClient {
  constructor(
    private readonly joined: ConnectProcess,
    options: LanguageClientOptions,
  ) {
    super('unimiss', 'UniMiSS', () => joined.start(), options);
  }

  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }

  /** Also called by itself where it could not be started: then there is nothing to stop. */
  override async stop(timeout?: number): Promise<void> {
    if (this.isRunning()) await super.stop(timeout);
  }

  /** Ends the connection. @returns the last words of `unimiss connect`, '' where it had nothing to complain of */
  async end(): Promise<string> {
    try {
      await this.dispose();
    } catch {
      // It never ran, or is gone already.
    }
    return this.joined.end();
  }
}

/** A client that is not used again once its connection has ended. */
export function makeLanguageClient({ extensionUri }: ExtensionContext, output: LogOutputChannel): ConnectClient {
  const program = Uri.joinPath(extensionUri, 'dist', 'daemon', 'main.js').fsPath;
  return new ConnectClient(new ConnectProcess(program), {
    documentSelector: [],
    initializationOptions: { protocol: protocolVersion },
    outputChannel: output,
    revealOutputChannelOn: RevealOutputChannelOn.Never,
    initializationFailedHandler: () => false,
    errorHandler: {
      error: () => ({ action: ErrorAction.Shutdown, handled: true }),
      closed: () => ({ action: CloseAction.DoNotRestart, handled: true }),
    },
  });
}

/**
 * The environment of the daemon, which outlives this window: what the editor set for its own processes is left out, and
 * its runtime is told to be Node.
 */
export function daemonEnvironment(): Record<string, string> {
  const own = /^(VSCODE_|ELECTRON_|CHROME_|NODE_OPTIONS$)/;
  const inherited = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !own.test(entry[0]),
  );
  const settings = workspace.getConfiguration('unimiss');
  const runs = settings.get<string>('runsFolder');
  const tensorflow = settings.get<string>('tensorflowFolder');
  return {
    ...Object.fromEntries(inherited),
    ...(runs && { UNIMISS_RUNS: runs }),
    ...(tensorflow && { UNIMISS_TENSORFLOW: tensorflow }),
    ELECTRON_RUN_AS_NODE: '1',
  };
}
