import { basename } from 'node:path';
import { parse } from 'jsonc-parser';
import { commands, l10n, Range, type TextDocument, Uri, WorkspaceEdit, window, workspace } from 'vscode';
import { twinFields } from '../../protocol/config/finetune/twin.ts';
import { setField } from '../../protocol/config/makeConfig.ts';
import { parseAddress } from '../../protocol/machines/address.ts';
import type { RunInfo } from '../../protocol/runs/runInfo.ts';
import { configSuffix, isConfig } from '../configuration/configFiles.ts';
import type { Context, ContextAt } from '../context.ts';
import { askPath } from '../machines/askPath.ts';
import { byMachine, folderThere, where } from '../machines/there.ts';
import { chooseRun } from '../runs/chooseRun.ts';
import { describeRun } from '../runs/describeRun.ts';
import { deviceIn } from '../runs/device.ts';
import { isFinetuning, isPretraining } from '../runs/kinds.ts';
import { requireRow } from '../runs/requireRow.ts';
import { ensureEngine } from './engine.ts';
import { lastLook } from './lastLook.ts';
import { planFolder } from './plan.ts';
import { createRun, saveAndCheck, showRun } from './startRun.ts';

/** Commands that fine-tune: from a configuration (`unimiss.finetune`), or from a run, or one of its checkpoints
 * (`unimiss.finetuneFrom`). */
export function finetuneCommands(ctx: Context): Record<string, (given?: unknown) => Promise<void>> {
  return {
    async 'unimiss.finetune'(given) {
      const file = given instanceof Uri ? given : await chooseConfig(ctx);
      if (file) await finetuneFile(ctx, file);
    },
    async 'unimiss.finetuneFrom'(...args: unknown[]) {
      requireRow(args);
      const [given] = args;
      const none = l10n.t('No run can be fine-tuned. "UniMiSS: Start Pre-training" makes one.');
      const checkpoint = ctx.view.checkpoint(given);
      const run = await chooseRun(ctx, given, { title: 'Fine-tune', fits: isPretraining, none });
      if (!run) return;
      const there = where(ctx, run);
      const file = await chooseConfig(there);
      const document = file && (await saveAndCheck(there, file));
      if (document) await go(there, document, checkpoint?.file ?? folderThere(run));
    },
  };
}

/** Fine-tunes as a configuration says, from weights that the user chooses. */
export async function finetuneFile(ctx: ContextAt, file: Uri): Promise<void> {
  const document = await saveAndCheck(ctx, file);
  const weights = document && (await chooseWeights(ctx, document));
  if (weights) await go(ctx, document, weights.from);
}

/** The kind of run in a configuration's text, even if other things in it are wrong. */
export function taskIn(text: string): string {
  const config: unknown = parse(text);
  const task = typeof config === 'object' && config !== null && 'task' in config ? config.task : undefined;
  return typeof task === 'string' ? task : 'pretrain';
}

type Choice = { label: string; description?: string; detail?: string; choose: () => Promise<Uri | undefined> };

async function chooseConfig(ctx: ContextAt): Promise<Uri | undefined> {
  const open = window.activeTextEditor?.document;
  const active = open && isConfig(open) ? [open.uri] : [];
  const found = [...active, ...(await workspace.findFiles(`**/*${configSuffix}`, '**/node_modules/**', 100))];
  const files = [...new Map(found.map((uri) => [uri.toString(), uri])).values()];
  const tasks = await Promise.all(files.map(async (uri) => taskIn((await workspace.openTextDocument(uri)).getText())));
  const choices: Choice[] = [
    ...files
      .filter((_, i) => tasks[i] === 'finetune')
      .map((uri) => ({
        label: basename(uri.fsPath),
        description: workspace.asRelativePath(uri),
        choose: async () => uri,
      })),
    {
      label: l10n.t('Plan a data set…'),
      detail: l10n.t('Checks a folder with labelled images and creates a configuration for it'),
      choose: () => planFolder(ctx, undefined),
    },
    { label: l10n.t('Another configuration file…'), choose: pickFile },
  ];
  const picked = await window.showQuickPick(choices, {
    title: byMachine(ctx.daemon.machine, l10n.t('Fine-tune'), (machine) => l10n.t('Fine-tune on {0}', machine)),
    placeHolder: l10n.t('On which data set?'),
  });
  return picked?.choose();
}

async function pickFile(): Promise<Uri | undefined> {
  const filters = { 'UniMiSS configuration': ['jsonc', 'json'] };
  return (
    await window.showOpenDialog({ title: l10n.t('Configuration of a fine-tuning'), openLabel: l10n.t('Use'), filters })
  )?.[0];
}

/** Where a fine-tuning begins: a run's folder, a file, or null for scratch. */
export interface Weights {
  from: string | null;
  /** The run that they are of, if they are of one: its folder or address. */
  run?: string;
}
type WeightsChoice = {
  label: string;
  description?: string;
  detail?: string;
  choose: () => Promise<Weights | undefined>;
};

function chooseWeights(ctx: ContextAt, document: TextDocument): Promise<Weights | undefined> {
  return askWeights(ctx, {
    title: l10n.t('Fine-tune: {0}', basename(document.fileName)),
    given: startOf(document.getText()),
  });
}

/**
 * Asks for the weights with which a fine-tuning begins.
 * @param given those that its configuration names
 */
export async function askWeights(
  ctx: ContextAt,
  { title, given }: { readonly title: string; readonly given: string | null },
): Promise<Weights | undefined> {
  await ctx.store.load();
  const { machine } = ctx.daemon;
  const runs = ctx.store.runs.filter(({ folder }) => parseAddress(folder).machine === machine);
  const usable = [...runs.filter(isPretraining), ...runs.filter(isFinetuning)].filter(({ state }) => state !== 'new');
  const choices: WeightsChoice[] = [
    ...(given === null
      ? []
      : [
          {
            label: basename(given),
            description: l10n.t('as in the configuration'),
            choose: async () => ({ from: given }),
          },
        ]),
    ...usable.map((run) => ({
      label: run.id,
      description: describeRun(run),
      choose: async () => ({ from: folderThere(run), run: run.folder }),
    })),
    {
      label: l10n.t('A file with weights…'),
      detail: '.safetensors, or .pth of the reference implementation',
      choose: machine === undefined ? pickWeights : () => pickWeightsThere(ctx),
    },
    { label: l10n.t('From scratch'), detail: l10n.t('Random weights'), choose: async () => ({ from: null }) },
  ];
  const picked = await window.showQuickPick(choices, {
    title,
    placeHolder: l10n.t('From which weights?'),
    matchOnDescription: true,
  });
  return picked?.choose();
}

export async function pickWeights(): Promise<Weights | undefined> {
  const filters = { Weights: ['safetensors', 'pth', 'pt'] };
  const [file] =
    (await window.showOpenDialog({ title: l10n.t('Pre-trained weights'), openLabel: l10n.t('Use'), filters })) ?? [];
  return file && { from: file.fsPath };
}

/** Weights on another machine. */
export async function pickWeightsThere(ctx: ContextAt): Promise<Weights | undefined> {
  const file = await askPath(ctx, {
    title: l10n.t('Pre-trained weights on {0}', ctx.daemon.machine ?? ''),
    placeHolder: '.safetensors or .pth',
  });
  return file && { from: file.path };
}

/** `start.from` in the text of a configuration. */
function startOf(text: string): string | null {
  const config = parse(text) as { start?: { from?: unknown } } | undefined;
  const from = config?.start?.from;
  return typeof from === 'string' ? from : null;
}

/** Asks how to begin, and does so. As in the shell, the run gets the weights; the file changes only where the user edits it. */
async function go(ctx: ContextAt, document: TextDocument, from: string | null): Promise<void> {
  const text = setField(document.getText(), ['start', 'from'], from);
  const twin = {
    label: l10n.t('Start with a Twin from Scratch'),
    detail: l10n.t('Also queues the same run without pre-trained weights, for comparison'),
    how: 'twin' as const,
  };
  const ways = [{ label: l10n.t('Start'), how: 'start' as const }, ...(from === null ? [] : [twin])];
  const how = await lastLook(ctx, document, { ways, text });
  if (how === 'edit') return edit(document, text);
  if (!how || !(await ensureEngine(ctx, deviceIn(text)))) return;
  const run = await createRun(ctx, text, document.uri);
  if (how === 'twin') await createRun(ctx, twinText(text, run), document.uri);
  await showRun(ctx, run);
}

function twinText(text: string, run: Pick<RunInfo, 'id' | 'name'>): string {
  return twinFields(run).reduce((own, [field, value]) => setField(own, field.split('.'), value), text);
}

/** Changes the text of a configuration in its editor, where it can be undone. */
async function edit(document: TextDocument, text: string): Promise<void> {
  const change = new WorkspaceEdit();
  change.replace(document.uri, new Range(document.positionAt(0), document.positionAt(document.getText().length)), text);
  await workspace.applyEdit(change);
  await window.showTextDocument(document, { preview: false });
  await commands.executeCommand('workbench.action.focusActiveEditorGroup');
}
