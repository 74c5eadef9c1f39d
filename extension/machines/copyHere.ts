import { FileType, l10n, Uri, workspace } from 'vscode';
import { UnimissError } from '../../protocol/errors.ts';
import { uriOf } from './machineUri.ts';

/** Folders in folders, at most: a link to a folder above would lead round in circles. */
const deepest = 32;

/**
 * Copies a file or folder of another machine to this one; a file is there whole or not at all.
 * @param address as `addressOf` has it
 */
export async function copyHere(address: string, to: Uri): Promise<void> {
  await copy(uriOf(address), to);
}

async function copy(from: Uri, to: Uri, depth = 0): Promise<void> {
  const { fs } = workspace;
  const { type } = await fs.stat(from);
  if (type === FileType.Directory) {
    if (depth > deepest)
      throw new UnimissError('data', l10n.t('has more than {0} folders in each other', deepest), {
        place: from.path,
        remedy: l10n.t('Does a link in it lead to a folder above? Copy it with rsync.'),
      });
    await fs.createDirectory(to);
    for (const [name] of await fs.readDirectory(from))
      await copy(Uri.joinPath(from, name), Uri.joinPath(to, localName(name, from)), depth + 1);
    return;
  }
  const partial = to.with({ path: `${to.path}.partial` });
  await fs.writeFile(partial, await fs.readFile(from));
  await fs.rename(partial, to, { overwrite: true });
}

/** A name that stays in its folder here, too. Another machine may have names that are paths on this one. */
function localName(name: string, folder: Uri): string {
  const path = process.platform === 'win32' ? /[/\\:\0]/ : /[/\0]/;
  if (!path.test(name) && !/^\.{0,2}$/.test(name)) return name;
  throw new UnimissError('data', l10n.t('has a file whose name this machine cannot have'), {
    place: `${folder.path}: ${JSON.stringify(name)}`,
    remedy: l10n.t('Rename it there.'),
  });
}
