import { type ExtensionContext, type LogOutputChannel, Uri, workspace } from 'vscode';
import { CloseAction, ErrorAction, LanguageClient, RevealOutputChannelOn } from 'vscode-languageclient/node';
import { protocolVersion } from '../../protocol/messages.ts';

/** Tells its failures to the log and to whoever started it, never in a notification of its own. */
class QuietLanguageClient extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }
}

/**
 * A client for one connection: `unimiss connect`, which joins its standard streams to the daemon and starts that where
 * none runs. It is not used again once it has ended.
 */
export function makeLanguageClient({ extensionUri }: ExtensionContext, output: LogOutputChannel): LanguageClient {
  return new QuietLanguageClient(
    'unimiss',
    'UniMiSS',
    {
      command: process.execPath,
      args: [Uri.joinPath(extensionUri, 'dist', 'daemon', 'main.js').fsPath, 'connect'],
      options: { env: daemonEnvironment() },
    },
    {
      documentSelector: [],
      initializationOptions: { protocol: protocolVersion },
      outputChannel: output,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      initializationFailedHandler: () => false,
      errorHandler: {
        error: () => ({ action: ErrorAction.Shutdown, handled: true }),
        closed: () => ({ action: CloseAction.DoNotRestart, handled: true }),
      },
    },
  );
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
