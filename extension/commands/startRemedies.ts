import { findNodeAtLocation, parse, parseTree } from 'jsonc-parser';
import { l10n, Range, type Uri, WorkspaceEdit, window, workspace } from 'vscode';
import { setField } from '../../protocol/config/makeConfig.ts';
import { type ErrorCode, UnimissError } from '../../protocol/errors.ts';
import { showField } from '../configuration/showField.ts';
import type { Remedy } from '../remedies.ts';

/** Fields whose values an error of a code is about, the first one in a configuration counts. */
const fieldsOf: Partial<Record<ErrorCode, readonly (readonly string[])[]>> = {
  data: [
    ['data', 'paths'],
    ['data', 'manifest'],
    ['data', 'path'],
  ],
  checkpoint: [
    ['start', 'from'],
    ['train', 'initialWeights'],
  ],
  engine: [['engine', 'device']],
};

/**
 * What a user can do about an error at the start of a run: see the value that it is about, choose another folder, train on the CPU.
 * @param config the text that was refused
 * @param again starts with another text
 * @param here whether it starts on this machine, whose folders the editor can choose
 */
export function startRemedies(
  error: unknown,
  { config, file, again, here }: { config: string; file: Uri; again: (config: string) => unknown; here: boolean },
): Remedy[] {
  if (!(error instanceof UnimissError)) return [];
  const field = fieldIn(config, error.code);
  if (!field) return [];
  const remedies: Remedy[] = [];
  if (error.code === 'engine' && valueAt(config, field) !== 'cpu')
    remedies.push({ title: l10n.t('Use CPU for This Run'), run: () => again(setField(config, [...field], 'cpu')) });
  if (here && error.code === 'data' && field.at(-1) !== 'manifest')
    remedies.push({ title: l10n.t('Choose Folder…'), run: () => chooseFolder(file, field) });
  remedies.push({
    title: l10n.t('Open Configuration'),
    run: async () => showField(await workspace.openTextDocument(file), field.join('.')),
  });
  return remedies;
}

/** The field of a configuration that errors of a code are about. */
export function fieldIn(config: string, code: ErrorCode): readonly string[] | undefined {
  const tree = parseTree(config);
  return fieldsOf[code]?.find((field) => tree && findNodeAtLocation(tree, [...field]));
}

function valueAt(config: string, field: readonly string[]): unknown {
  return field.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[key] : undefined),
    parse(config),
  );
}

/** Puts a folder that the user picks into the configuration, where it can be undone. */
async function chooseFolder(file: Uri, field: readonly string[]): Promise<void> {
  const [folder] =
    (await window.showOpenDialog({
      title: l10n.t('Folder with images'),
      openLabel: l10n.t('Use This Folder'),
      canSelectFiles: false,
      canSelectFolders: true,
    })) ?? [];
  if (!folder) return;
  const document = await workspace.openTextDocument(file);
  const text = document.getText();
  const value = field.at(-1) === 'paths' ? [folder.fsPath] : folder.fsPath;
  const change = new WorkspaceEdit();
  const all = new Range(document.positionAt(0), document.positionAt(text.length));
  change.replace(file, all, setField(text, [...field], value));
  await workspace.applyEdit(change);
  await showField(document, field.join('.'));
}
