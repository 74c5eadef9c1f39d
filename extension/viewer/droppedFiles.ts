import { realpath } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { l10n, Uri, window, workspace } from 'vscode';
import { UnimissError } from '../../protocol/errors.ts';
import { isInside } from '../../protocol/insideFolder.ts';
import { holdsLabelsOf } from '../../protocol/viewer/labelFolders.ts';
import { machineScheme } from '../machines/machineScheme.ts';
import { addressOfUri } from '../machines/machineUri.ts';
import type { ImageDocument } from './imageDocument.ts';

/**
 * Draws files over an image that were dropped onto it. A page alone must not open files, and it can say that anything was dropped: the user
 * is asked about what belongs neither to the workspace nor to the image.
 * @throws UnimissError 'data' for files that lie on another machine than the image
 */
export async function addDropped(
  document: Pick<ImageDocument, 'uri' | 'name' | 'addLayer'>,
  uris: readonly string[],
): Promise<void> {
  for (const uri of uris.map(fileUri)) {
    if (machineOf(uri) !== machineOf(document.uri))
      throw new UnimissError('data', l10n.t('lies on another machine than the image that is open'), {
        place: addressOfUri(uri),
        remedy: l10n.t('Copy it to the machine with the image.'),
      });
    if ((await belongs(uri, document.uri)) || (await confirmed(uri, document.name)))
      await document.addLayer(uri.scheme === machineScheme ? uri.path : uri.fsPath);
  }
}

/** undefined: this machine. @throws UnimissError 'data' for what no machine has on its disk */
function machineOf(uri: Uri): string | undefined {
  if (uri.scheme === machineScheme) return uri.authority;
  if (uri.scheme === 'file') return undefined;
  throw new UnimissError('data', l10n.t('is not a file on the disk of this machine ({0})', uri.scheme), {
    place: basename(uri.path),
    remedy: l10n.t('Copy it to a folder of the workspace.'),
  });
}

/**
 * Whether a file lies in the workspace, in the image's folder, or in a folder of its labels beside that. Links count as what they lead to;
 * those of another machine cannot be followed here, so nothing there belongs.
 */
async function belongs({ scheme, fsPath }: Uri, image: Uri): Promise<boolean> {
  if (scheme !== 'file') return false;
  const root = workspace.getWorkspaceFolder(Uri.file(fsPath))?.uri.fsPath;
  // By its name first: to look at a path of another computer already tells that computer something.
  if (root === undefined && !isBeside(image.fsPath, fsPath)) return false;
  const [file, home, folder] = await Promise.all([fsPath, image.fsPath, root].map(realOf));
  if (file === undefined) return false;
  return (folder !== undefined && isInside(folder, file)) || (home !== undefined && isBeside(home, file));
}

/** By the names: in the image's folder (a DICOM series is one), or in a folder of labels beside it. */
function isBeside(image: string, file: string): boolean {
  const [home, place] = [dirname(image), dirname(file)];
  if (place === home || place === image) return true;
  return dirname(place) === dirname(home) && holdsLabelsOf(basename(place), basename(home));
}

/** Without links; undefined where there is nothing. */
async function realOf(path: string | undefined): Promise<string | undefined> {
  return path === undefined ? undefined : realpath(path).catch(() => undefined);
}

async function confirmed(uri: Uri, image: string): Promise<boolean> {
  const detail = l10n.t('{0} belongs neither to this workspace nor to the image.', addressOfUri(uri));
  const question = l10n.t('Draw {0} over {1}?', basename(uri.path), image);
  return (await window.showWarningMessage(question, { modal: true, detail }, l10n.t('Draw'))) === l10n.t('Draw');
}

/** In a window on another machine, its explorer names files as that window does, and they are files of this side. */
function fileUri(text: string): Uri {
  const uri = Uri.parse(text);
  return uri.scheme === 'vscode-remote' ? Uri.file(uri.path) : uri;
}
