import { open, rename, rm } from 'node:fs/promises';
import { FileType, l10n, Uri, workspace } from 'vscode';
import { messageOf, UnimissError } from '../../protocol/errors.ts';
import type { DaemonClient } from '../client/daemonClient.ts';
import { uriOf } from './machineUri.ts';
import { readPieces } from './readPieces.ts';

/** Folders in folders, at most: a link to a folder above would lead round in circles. */
const deepest = 32;

/**
 * Copies a file or folder of another machine to this one, of any size; a file is there whole or not at all.
 * @param daemon that of the other machine
 * @param address as `addressOf` has it
 * @throws UnimissError 'data' or 'disk'
 */
export async function copyHere(daemon: Pick<DaemonClient, 'request'>, address: string, to: Uri): Promise<void> {
  await copy(daemon, uriOf(address), to);
}

async function copy(daemon: Pick<DaemonClient, 'request'>, from: Uri, to: Uri, depth = 0): Promise<void> {
  const { fs } = workspace;
  const { type } = await fs.stat(from);
  if (type !== FileType.Directory) return copyFile(daemon, from.path, to);
  if (depth > deepest)
    throw new UnimissError('data', l10n.t('has more than {0} nested folders', deepest), {
      place: from.path,
      remedy: l10n.t('A link in it may lead to a parent folder. Copy the folder with rsync.'),
    });
  await fs.createDirectory(to);
  for (const [name] of await fs.readDirectory(from))
    await copy(daemon, Uri.joinPath(from, name), Uri.joinPath(to, localName(name, from)), depth + 1);
}

/** Under a temporary name, which is gone afterwards, also where it fails; that of a copy which was killed is used again. */
async function copyFile(daemon: Pick<DaemonClient, 'request'>, from: string, { scheme, fsPath }: Uri): Promise<void> {
  if (scheme !== 'file')
    throw new UnimissError('data', l10n.t('is no folder of this machine ({0})', scheme), {
      place: fsPath,
      remedy: l10n.t('Choose another folder.'),
    });
  const partial = `${fsPath}.partial`;
  try {
    const handle = await open(partial, 'w');
    try {
      for await (const { bytes } of readPieces(daemon, from)) await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(partial, fsPath);
  } catch (error) {
    await rm(partial, { force: true }).catch(() => {}); // the first error counts
    if (error instanceof UnimissError) throw error;
    throw new UnimissError('disk', l10n.t('cannot be written ({0})', messageOf(error)), {
      place: fsPath,
      remedy: l10n.t('Free some space, or choose another folder.'),
      cause: error,
    });
  }
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
