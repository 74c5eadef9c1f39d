import { commands, env, UIKind, Uri, workspace } from 'vscode';

/**
 * Shows a folder in the explorer if it is part of the workspace, else in the system's file manager. If there is none (the
 * extension runs on another machine), opens the folder in a new window.
 */
export async function openFolder(path: string): Promise<void> {
  const folder = Uri.file(path);
  if (workspace.getWorkspaceFolder(folder)) await commands.executeCommand('revealInExplorer', folder);
  else if (env.remoteName === undefined && env.uiKind === UIKind.Desktop)
    await commands.executeCommand('revealFileInOS', folder);
  else await commands.executeCommand('vscode.openFolder', folder, { forceNewWindow: true });
}
