import { commands, env, UIKind, workspace } from 'vscode';
import { uriOf } from './machines/machineUri.ts';

/**
 * Shows a folder in the explorer if it is part of the workspace, else in the system's file manager. If there is none (the
 * extension runs on another machine), or the folder is on another machine, opens it in a new window.
 * @param path absolute, or an address on another machine
 */
export async function openFolder(path: string): Promise<void> {
  const folder = uriOf(path);
  if (workspace.getWorkspaceFolder(folder)) await commands.executeCommand('revealInExplorer', folder);
  else if (folder.scheme === 'file' && env.remoteName === undefined && env.uiKind === UIKind.Desktop)
    await commands.executeCommand('revealFileInOS', folder);
  else await commands.executeCommand('vscode.openFolder', folder, { forceNewWindow: true });
}
