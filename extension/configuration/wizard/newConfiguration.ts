import { basename, dirname, join } from 'node:path';
import { l10n, type QuickPickItem, Uri, window } from 'vscode';
import { setField } from '../../../protocol/config/makeConfig.ts';
import { presetNames } from '../../../protocol/config/pretrain/presets.ts';
import { runNameOf } from '../../../protocol/config/shared.ts';
import { configMake, engineInfoRequest, runForecast } from '../../../protocol/daemon/messages.ts';
import { askWeights, pickWeights } from '../../commands/finetune.ts';
import { newConfig } from '../../commands/newConfig.ts';
import { planFolder } from '../../commands/plan.ts';
import type { Context } from '../../context.ts';
import { withProgress } from '../../withProgress.ts';
import { configSuffix } from '../configFiles.ts';
import { type Budget, withBudget, withNote, wrongHours } from './budget.ts';

const title = l10n.t('New Configuration');

/** `unimiss.newConfiguration`: a few questions, and a file with comments that answers all others. It is the only thing that is stored. */
export function newConfigurationCommands(ctx: Context): Record<string, (given?: unknown) => Promise<void>> {
  return {
    async 'unimiss.newConfiguration'(given) {
      const folder = given instanceof Uri ? given : undefined;
      const task = await ask(l10n.t('What shall the network learn?'), [
        { label: 'Pre-train', detail: l10n.t('From images without labels'), value: pretraining },
        {
          label: 'Fine-tune',
          detail: l10n.t('From a labelled data set: segmentation or classification'),
          value: finetuning,
        },
      ]);
      await task?.(ctx, folder);
    },
  };
}

interface Choice<T> extends QuickPickItem {
  readonly value: T;
}

/** Asks one question of the wizard. @returns undefined if the user cancelled */
async function ask<T>(placeHolder: string, choices: readonly Choice<T>[]): Promise<T | undefined> {
  const picked = await window.showQuickPick(choices, { title, placeHolder, ignoreFocusOut: true });
  return picked?.value;
}

async function pretraining(ctx: Context, given: Uri | undefined): Promise<void> {
  const folders = given ? [given] : await pickFolders();
  const [first] = folders ?? [];
  if (!folders || !first) return;
  const preset = await ask(l10n.t('How large is the network?'), [
    { label: 'tiny', description: l10n.t('20 M parameters, as in the paper'), value: presetNames[1] },
    { label: 'small', description: l10n.t('44 M parameters, as in the paper'), value: presetNames[2] },
    { label: 'nano', description: l10n.t('for trying things out'), value: presetNames[0] },
  ]);
  if (!preset) return;
  const weights = await ask(l10n.t('From which weights?'), [
    { label: l10n.t('Random weights'), value: async () => ({ from: null }) },
    {
      label: l10n.t('A file with weights…'),
      detail: '.safetensors, or .pth of the reference implementation',
      value: pickWeights,
    },
  ]);
  const start = await weights?.();
  const device = start && (await askDevice(ctx));
  const budget = device && (await askBudget(l10n.t('The paper trains for 200 epochs')));
  if (!budget) return;
  const name = runNameOf(basename(first.fsPath));
  const made = await ctx.daemon.request(configMake, {
    ...{ folders: folders.map(({ fsPath }) => fsPath), preset, device: device.device },
    ...(name !== undefined && { name }),
  });
  const asked = withFields(made.text, [['train.initialWeights', start.from], ...device.fields]);
  const file = join(dirname(first.fsPath), `${name ?? 'pretrain'}${configSuffix}`);
  const forecast = await withProgress(
    ctx.daemon,
    l10n.t('UniMiSS: looking at the images'),
    (workDoneToken, cancelled) =>
      ctx.daemon.request(runForecast, { from: { config: asked, file }, workDoneToken }, cancelled),
  );
  const { text, why } = withBudget(asked, forecast, budget);
  await newConfig(basename(first.fsPath), withNote(text, [why]));
}

async function finetuning(ctx: Context, given: Uri | undefined): Promise<void> {
  const weights = await askWeights(ctx, { title, given: null });
  const device = weights && (await askDevice(ctx));
  const budget = device && (await askBudget(l10n.t('As many epochs as are usual for the task')));
  if (!budget) return;
  const hours: [string, unknown][] = budget.hours === undefined ? [] : [['train.hours', budget.hours]];
  await planFolder(ctx, given, (text) =>
    withFields(text, [['start.from', weights.from], ['engine.device', device.device], ...device.fields, ...hours]),
  );
}

/** Fields that differ from their default. */
function withFields(text: string, fields: readonly (readonly [string, unknown])[]): string {
  return fields.reduce((now, [field, value]) => (value === null ? now : setField(now, field.split('.'), value)), text);
}

function pickFolders(): Thenable<Uri[] | undefined> {
  return window.showOpenDialog({
    title: l10n.t('Folders with images (NIfTI, NRRD, MetaImage, DICOM, PNG, JPEG)'),
    openLabel: l10n.t('Use These Folders'),
    ...{ canSelectFiles: false, canSelectFolders: true, canSelectMany: true },
  });
}

interface Device {
  readonly device: 'cpu' | 'cuda';
  readonly fields: readonly (readonly [string, unknown])[];
}

/** Asks only where there is a choice. */
async function askDevice(ctx: Context): Promise<Device | undefined> {
  const { gpus } = await ctx.daemon.request(engineInfoRequest, {});
  const cpu: Device = { device: 'cpu', fields: [] };
  if (gpus.length === 0) return cpu;
  return ask<Device>(l10n.t('On which device?'), [
    ...gpus.map((name, number) => ({
      label: name,
      description: l10n.t('GPU {0}', number),
      value: { device: 'cuda' as const, fields: [['engine.gpu', number] as const] },
    })),
    { label: l10n.t('Processor'), value: cpu },
  ]);
}

async function askBudget(usual: string): Promise<Budget | undefined> {
  const own = async (): Promise<Budget | undefined> => {
    const text = await window.showInputBox({
      title,
      prompt: l10n.t('Hours that the training may take'),
      validateInput: wrongHours,
    });
    return text === undefined ? undefined : { hours: Number(text.replace(',', '.')) };
  };
  const answer = await ask<() => Promise<Budget | undefined>>(l10n.t('How long may it take?'), [
    { label: l10n.t('As long as it needs'), detail: usual, value: async () => ({ hours: undefined }) },
    { label: l10n.t('One hour'), value: async () => ({ hours: 1 }) },
    { label: l10n.t('A night'), description: l10n.t('10 hours'), value: async () => ({ hours: 10 }) },
    { label: l10n.t('A weekend'), description: l10n.t('60 hours'), value: async () => ({ hours: 60 }) },
    { label: l10n.t('Another time…'), value: own },
  ]);
  return answer?.();
}
