import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import {
  CodeAction,
  CodeActionKind,
  type Diagnostic,
  type ExtensionContext,
  type LogOutputChannel,
  Uri,
  workspace,
} from 'vscode';
import {
  CloseAction,
  ErrorAction,
  LanguageClient,
  type LanguageClientOptions,
  RevealOutputChannelOn,
  type StreamInfo,
} from 'vscode-languageclient/node';
import type { Line } from '../../machines/connect.ts';
import { protocolVersion } from '../../protocol/daemon/messages.ts';
import { editorCommands, forEditor } from '../../protocol/editorWords.ts';
import { syntaxCode } from '../../protocol/language/messages.ts';
import { configSuffix } from '../configuration/configFiles.ts';

/** How many characters of the standard error of `unimiss connect` are kept. */
const lastWordsLength = 2000;

/** `unimiss connect`: joins its standard streams to the daemon, and starts a daemon if none runs. */
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
    child.stdin.on('error', () => {}); // the process has ended; its input is lost with the connection
    await once(child, 'spawn');
    // A failed write makes vscode-jsonrpc throw where no code can catch it. This stream accepts all writes; the end of its output
    // shows that the process has ended.
    const writer = new PassThrough();
    writer.pipe(child.stdin);
    return { writer, reader: child.stdout };
  }

  /** Ends the process and returns its last error output. */
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

/** What a connection runs through: streams to the daemon, and their end. */
interface Joined {
  start(): Promise<StreamInfo>;
  /** @returns the last error output of what joined them */
  end(): Promise<string>;
}

/** A client for one connection. It reports failures to the log and to its caller, never in a notification. */
export class ConnectClient extends LanguageClient {
  constructor(
    private readonly joined: Joined,
    options: LanguageClientOptions,
  ) {
    super('unimiss', 'UniMiSS', () => joined.start(), options);
  }

  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }

  /** The base class also calls this if the start failed: then there is nothing to stop. */
  override async stop(timeout?: number): Promise<void> {
    if (this.isRunning()) await super.stop(timeout);
  }

  /** Ends the connection. @returns the last error output of `unimiss connect`, '' if there is none */
  async end(): Promise<string> {
    try {
      await this.dispose();
    } catch {
      // It never ran, or has ended already.
    }
    return this.joined.end();
  }
}

/** A client of another machine's daemon: it helps with no file, since the files of this editor are here. */
class MachineClient extends ConnectClient {
  override registerFeature(): void {}
}

/** A client for an open line to another machine. */
export function makeMachineClient(line: Line, output: LogOutputChannel): ConnectClient {
  const joined = { start: async () => ({ reader: line.reader, writer: line.writer }), end: () => line.end() };
  return new MachineClient(joined, { documentSelector: [], ...connectionOptions(output) });
}

/** A client for a single connection. */
export function makeLanguageClient({ extensionUri }: ExtensionContext, output: LogOutputChannel): ConnectClient {
  const program = Uri.joinPath(extensionUri, 'dist', 'daemon', 'main.js').fsPath;
  return new ConnectClient(new ConnectProcess(program), {
    documentSelector: [{ pattern: `**/*${configSuffix}` }],
    middleware: {
      // In an untrusted workspace the daemon is told of no file: it would look at the images that it names.
      didOpen: async (document, next) => {
        if (workspace.isTrusted) await next(document);
      },
      // The editor's JSON support cannot be kept from reporting syntax.
      handleDiagnostics: (uri, diagnostics, next) =>
        next(
          uri,
          diagnostics
            .filter(({ code }) => code !== syntaxCode)
            .map((one) => Object.assign(one, { message: forEditor(one.message) })),
        ),
      provideCodeActions: async (document, range, context, token, next) => [
        ...((await next(document, range, context, token)) ?? []),
        ...installations(context.diagnostics),
      ],
    },
    ...connectionOptions(output),
  });
}

/** Fixes for problems that only an installation settles, which the daemon cannot begin for the editor. */
function installations(diagnostics: readonly Diagnostic[]): CodeAction[] {
  const title = editorCommands['engine install'] ?? '';
  const solved = diagnostics.filter(({ source, message }) => source === 'unimiss' && message.includes(title));
  if (solved.length === 0) return [];
  const action = new CodeAction(title, CodeActionKind.QuickFix);
  action.command = { command: 'unimiss.installEngine', title };
  action.diagnostics = solved;
  return [action];
}

function connectionOptions(output: LogOutputChannel) {
  return {
    initializationOptions: { protocol: protocolVersion },
    outputChannel: output,
    revealOutputChannelOn: RevealOutputChannelOn.Never,
    initializationFailedHandler: () => false,
    errorHandler: {
      error: () => ({ action: ErrorAction.Shutdown, handled: true }),
      closed: () => ({ action: CloseAction.DoNotRestart, handled: true }),
    },
  } satisfies LanguageClientOptions;
}

/**
 * The environment of the daemon, which outlives this window. It omits what the editor sets for its own processes, and makes the
 * editor's runtime behave as Node.
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
