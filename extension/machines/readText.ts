import { l10n, type Uri, workspace } from 'vscode';
import { UnimissError } from '../../protocol/errors.ts';
import { humanBytes } from '../../protocol/words.ts';
import { addressOfUri, uriOf } from './machineUri.ts';

/** Largest text that is read, bytes: a report holds its pictures. A file may come from someone else, and must not fill the memory. */
const largest = 2 ** 28;
/** Of a configuration, which people write. */
export const largestConfig = 2 ** 22;

/** The text of a file on this machine (absolute path) or another one (address). @throws the file system's error, or UnimissError 'data' */
export function readText(address: string): Promise<string> {
  return textOf(uriOf(address));
}

/** @throws as `readText` */
export async function textOf(uri: Uri, most = largest): Promise<string> {
  const { size } = await workspace.fs.stat(uri);
  if (size > most)
    throw new UnimissError('data', l10n.t('has {0}, too much to be read', humanBytes(size)), {
      place: addressOfUri(uri),
      remedy: l10n.t('Is it the right file?'),
    });
  return new TextDecoder().decode(await workspace.fs.readFile(uri));
}
