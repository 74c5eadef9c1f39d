import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { FileType, l10n, Uri, window, workspace } from 'vscode';
import { configSuffix } from '../configuration/configFiles.ts';

/** Writes a new configuration and opens it. @returns the file; undefined if the user did not say where */
export async function newConfig(name: string, text: string): Promise<Uri | undefined> {
  const file = await whereToWrite(name);
  if (!file) return undefined;
  await workspace.fs.writeFile(file, new TextEncoder().encode(text));
  await window.showTextDocument(file, { preview: false });
  return file;
}

/** A new file in the workspace; without one, the user says where: the parent of a folder of images is often shared or read-only. */
async function whereToWrite(name: string): Promise<Uri | undefined> {
  const [folder] = workspace.workspaceFolders ?? [];
  if (folder) return freeName(folder.uri, name);
  const picked = await window.showSaveDialog({
    title: l10n.t('Save the configuration'),
    saveLabel: l10n.t('Save'),
    defaultUri: Uri.file(join(homedir(), `${name}${configSuffix}`)),
    // The editor's own dialog, as over SSH, knows no ending with a dot in it, and would write ours twice.
    filters: { 'UniMiSS configuration': ['jsonc'] },
  });
  if (!picked || picked.path.endsWith(configSuffix)) return picked;
  return freeName(Uri.joinPath(picked, '..'), basename(picked.path).replace(/(\.unimiss)?(\.jsonc?)?$/, ''));
}

/** `images.unimiss.jsonc`, `images-2.unimiss.jsonc`, …: the first name that is not taken. */
async function freeName(folder: Uri, name: string): Promise<Uri> {
  const taken = new Set(
    (await workspace.fs.readDirectory(folder)).filter(([, type]) => type !== FileType.Unknown).map(([entry]) => entry),
  );
  for (let n = 1; ; n++) {
    const candidate = `${name}${n === 1 ? '' : `-${n}`}${configSuffix}`;
    if (!taken.has(candidate)) return Uri.joinPath(folder, candidate);
  }
}
