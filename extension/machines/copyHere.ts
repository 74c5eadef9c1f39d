import { FileType, Uri, workspace } from 'vscode';
import { uriOf } from './machineUri.ts';

/**
 * Copies a file or folder of another machine to this one; a file is there whole or not at all.
 * @param address as `addressOf` has it
 */
export async function copyHere(address: string, to: Uri): Promise<void> {
  await copy(uriOf(address), to);
}

async function copy(from: Uri, to: Uri): Promise<void> {
  const { fs } = workspace;
  const { type } = await fs.stat(from);
  if (type === FileType.Directory) {
    await fs.createDirectory(to);
    for (const [name] of await fs.readDirectory(from)) await copy(Uri.joinPath(from, name), Uri.joinPath(to, name));
    return;
  }
  const partial = to.with({ path: `${to.path}.partial` });
  await fs.writeFile(partial, await fs.readFile(from));
  await fs.rename(partial, to, { overwrite: true });
}
