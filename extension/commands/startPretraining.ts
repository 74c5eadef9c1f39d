import { basename } from 'node:path';
import { commands, l10n, Uri, window, workspace } from 'vscode';
import { presetNames } from '../../protocol/config/pretrain/presets.ts';
import { runNameOf } from '../../protocol/config/shared.ts';
import { configMake, startCommand } from '../../protocol/daemon/messages.ts';
import { configSuffix, isConfig } from '../configuration/configFiles.ts';
import type { Context } from '../context.ts';
import { taskIn } from './finetune.ts';
import { newConfig } from './newConfig.ts';
import { startFile } from './startRun.ts';

/** `unimiss.startPretraining`: starts from a configuration file (given, open, or picked), or makes one for chosen folders. */
export function startCommands(ctx: Context): Record<string, (given?: unknown, selected?: unknown) => Promise<void>> {
  return {
    async 'unimiss.startPretraining'(given) {
      const file = given instanceof Uri ? given : await chooseFile(ctx);
      if (!file) return;
      // The explorer's menu knows the name of a file, not what it configures.
      const text = (await workspace.openTextDocument(file)).getText();
      if (taskIn(text) === 'finetune') await commands.executeCommand('unimiss.finetune', file);
      else await startFile(ctx, file);
    },
    /** From a lens of the daemon above a configuration. */
    async [startCommand](given) {
      if (typeof given === 'string') await startFile(ctx, Uri.parse(given, true));
    },
    /** From the explorer: the folder that was clicked, and all that are selected. */
    async 'unimiss.pretrainFolder'(given, selected) {
      if (!(given instanceof Uri)) return;
      const all = Array.isArray(selected) ? selected.filter((each) => each instanceof Uri) : [];
      const file = await fromFolders(ctx, all.length > 0 ? all : [given]);
      if (file) await startFile(ctx, file);
    },
  };
}

type Choice = { label: string; description?: string; detail?: string; choose: () => Promise<Uri | undefined> };

async function chooseFile(ctx: Context): Promise<Uri | undefined> {
  const open = window.activeTextEditor?.document;
  const active = open && isConfig(open) ? open.uri : undefined;
  const found = await workspace.findFiles(`**/*${configSuffix}`, '**/node_modules/**', 100);
  const files = [...(active ? [active] : []), ...found.filter((uri) => uri.toString() !== active?.toString())];
  const choices: Choice[] = [
    ...files.map((uri) => ({
      label: basename(uri.fsPath),
      description: workspace.asRelativePath(uri),
      choose: async () => uri,
    })),
    {
      label: l10n.t('Folders with images…'),
      detail: l10n.t('Creates a configuration for them'),
      choose: () => chooseFolders(ctx),
    },
    { label: l10n.t('Another configuration file…'), choose: pickFile },
  ];
  const picked = await window.showQuickPick(choices, {
    title: l10n.t('Start Pre-training'),
    placeHolder: l10n.t('Choose a configuration, or folders with images'),
  });
  return picked?.choose();
}

async function pickFile(): Promise<Uri | undefined> {
  const filters = { 'UniMiSS configuration': ['jsonc', 'json'] };
  return (
    await window.showOpenDialog({ title: l10n.t('Configuration of a run'), openLabel: l10n.t('Start'), filters })
  )?.[0];
}

const presetDetails: Record<(typeof presetNames)[number], string> = {
  nano: l10n.t('for a first try: 20 epochs'),
  tiny: l10n.t('20 M parameters, as in the paper'),
  small: l10n.t('44 M parameters, as in the paper'),
};

async function chooseFolders(ctx: Context): Promise<Uri | undefined> {
  const folders = await window.showOpenDialog({
    title: l10n.t('Folders with images (NIfTI, NRRD, MetaImage, DICOM, PNG, JPEG)'),
    openLabel: l10n.t('Use These Folders'),
    canSelectFiles: false,
    canSelectFolders: true,
    canSelectMany: true,
  });
  return folders && fromFolders(ctx, folders);
}

/** Asks for a network, writes a configuration for folders of images and opens it. @returns the file; undefined if the user cancelled */
async function fromFolders(ctx: Context, folders: readonly Uri[]): Promise<Uri | undefined> {
  const [first] = folders;
  if (!first) return undefined;
  const preset = await window.showQuickPick(
    presetNames.map((name) => ({ label: name, description: presetDetails[name] })),
    { title: l10n.t('Start Pre-training'), placeHolder: l10n.t('Size of the network') },
  );
  if (!preset) return undefined;
  const name = runNameOf(basename(first.fsPath));
  const request = { folders: folders.map((uri) => uri.fsPath), preset: preset.label, ...(name && { name }) };
  const { text } = await ctx.daemon.request(configMake, request);
  return newConfig(basename(first.fsPath), text);
}
