import { Disposable, type TextDocument, type Uri, workspace } from 'vscode';
import { configCheck } from '../../protocol/daemon/messages.ts';
import type { DaemonClient } from '../client/daemonClient.ts';
import { isConfig } from './configFiles.ts';

/**
 * Connects to the daemon when a configuration is open, since the daemon finds what is wrong with it (client/languageClient.ts).
 * In an untrusted workspace it is not told of configurations: there, only the JSON Schema helps (schemaFiles.ts).
 */
export function helpWithConfigs(daemon: DaemonClient, failed: (error: unknown) => void): Disposable {
  const look = (document: TextDocument) => {
    if (workspace.isTrusted && isConfig(document)) daemon.connect().catch(failed);
  };
  const lookAtAll = () => workspace.textDocuments.forEach(look);
  lookAtAll();
  // A new connection tells the daemon of the open files that were kept from it.
  const trusted = () => {
    if (daemon.state.kind === 'idle') lookAtAll();
    else daemon.reconnect().catch(failed);
  };
  return Disposable.from(workspace.onDidOpenTextDocument(look), workspace.onDidGrantWorkspaceTrust(trusted));
}

/** What prevents a start, by the daemon: the places of all problems. */
export async function problemsIn(
  daemon: Pick<DaemonClient, 'request'>,
  document: TextDocument,
): Promise<{ readonly uri: Uri; readonly offset: number; readonly length: number }[]> {
  const { problems } = await daemon.request(configCheck, { text: document.getText() });
  return problems.map(({ offset, length }) => ({ uri: document.uri, offset, length }));
}
