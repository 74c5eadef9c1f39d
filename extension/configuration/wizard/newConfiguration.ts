import { basename, dirname, join, posix } from 'node:path';
import { l10n, type QuickPickItem, Uri, window } from 'vscode';
import { z } from 'zod';
import { setField } from '../../../protocol/config/makeConfig.ts';
import { presets as networks, presetNames } from '../../../protocol/config/pretrain/presets.ts';
import { runNameOf } from '../../../protocol/config/shared.ts';
import { configMake, engineInfoRequest, runForecast } from '../../../protocol/daemon/messages.ts';
import { NoDaemonHere } from '../../client/noDaemonHere.ts';
import { askWeights, pickWeights, pickWeightsThere, type Weights } from '../../commands/finetune.ts';
import { newConfig } from '../../commands/newConfig.ts';
import { planFolder } from '../../commands/plan.ts';
import type { Context, ContextAt } from '../../context.ts';
import { askPath } from '../../machines/askPath.ts';
import { readText } from '../../machines/readText.ts';
import { byMachine, homeThere, onMachine } from '../../machines/there.ts';
import { withProgress } from '../../withProgress.ts';
import { configSuffix } from '../configFiles.ts';
import { type Budget, withBudget, withNote, wrongHours } from './budget.ts';

const title = l10n.t('New Configuration');

/** `unimiss.newConfiguration`: a few questions, and a file with comments that answers all others. It is the only thing that is stored. */
export function newConfigurationCommands(ctx: Context): Record<string, (given?: unknown) => Promise<void>> {
  return {
    async 'unimiss.newConfiguration'(given) {
      const folder = given instanceof Uri ? given : undefined;
      const task = await ask(l10n.t('What should the network learn?'), [
        { label: 'Pre-train', detail: l10n.t('From images without labels'), value: pretraining },
        {
          label: 'Fine-tune',
          detail: l10n.t('From a labelled data set: segmentation or classification'),
          value: finetuning,
        },
      ]);
      const there = task && (folder ? ctx : await askMachine(ctx));
      if (there) await task?.(there, folder);
    },
  };
}

interface Choice<T> extends QuickPickItem {
  readonly value: T;
}

/** Asks on which machine the data are, and thus the training; only where others are connected. */
async function askMachine(ctx: Context): Promise<ContextAt | undefined> {
  const connected = ctx.machines.all.filter(({ client }) => client.state.kind === 'connected');
  if (connected.length === 0) return ctx;
  const { state } = ctx.daemon;
  const trainsHere = !(state.kind === 'failed' && state.error instanceof NoDaemonHere);
  const there = await ask<() => ContextAt>(l10n.t('Where are the images, and where should it train?'), [
    ...(trainsHere ? [{ label: l10n.t('This machine'), value: () => ctx }] : []),
    ...connected.map(({ host }) => ({ label: host, value: () => onMachine(ctx, host) })),
  ]);
  return there?.();
}

/** Asks one question of the wizard. @returns undefined if the user cancelled */
async function ask<T>(placeHolder: string, choices: readonly Choice<T>[]): Promise<T | undefined> {
  const picked = await window.showQuickPick(choices, { title, placeHolder, ignoreFocusOut: true });
  return picked?.value;
}

async function pretraining(ctx: ContextAt, given: Uri | undefined): Promise<void> {
  const { machine } = ctx.daemon;
  const folders = given ? [given.fsPath] : await pickFolders(ctx);
  const [first] = folders ?? [];
  if (!folders || !first) return;
  const preset = await ask(l10n.t('How large is the network?'), [
    { label: 'tiny', description: l10n.t('20 M parameters, as in the paper'), value: presetNames[1] },
    { label: 'small', description: l10n.t('44 M parameters, as in the paper'), value: presetNames[2] },
    { label: 'nano', description: l10n.t('for trying things out'), value: presetNames[0] },
  ]);
  if (!preset) return;
  const weights = await ask<() => Promise<Weights | undefined>>(l10n.t('From which weights?'), [
    { label: l10n.t('Random weights'), value: async () => ({ from: null }) },
    {
      label: l10n.t('A file with weights…'),
      detail: '.safetensors, or .pth of the reference implementation',
      value: machine === undefined ? pickWeights : () => pickWeightsThere(ctx),
    },
  ]);
  const start = await weights?.();
  const device = start && (await askDevice(ctx));
  const budget = device && (await askBudget(l10n.t('The paper trains for 200 epochs')));
  if (!budget) return;
  const name = runNameOf(basename(first));
  const made = await ctx.daemon.request(configMake, {
    ...{ folders: [...folders], preset, device: device.device },
    ...(name !== undefined && { name }),
  });
  const asked = withFields(made.text, [['train.initialWeights', start.from], ...device.fields]);
  const fileName = `${name ?? 'pretrain'}${configSuffix}`;
  const file = machine === undefined ? join(dirname(first), fileName) : posix.join(homeThere(ctx), fileName);
  const forecast = await withProgress(
    ctx.daemon,
    byMachine(machine, l10n.t('UniMiSS: looking at the images'), (there) =>
      l10n.t('UniMiSS: looking at the images on {0}', there),
    ),
    (workDoneToken, cancelled) =>
      ctx.daemon.request(runForecast, { from: { config: asked, file }, workDoneToken }, cancelled),
  );
  const { text, why } = withBudget(asked, forecast, budget);
  await newConfig(basename(first), withNote(text, [why, ...startNote(ctx)]));
}

async function finetuning(ctx: ContextAt, given: Uri | undefined): Promise<void> {
  const weights = await askWeights(ctx, { title, given: null });
  const device = weights && (await askDevice(ctx));
  const budget = device && (await askBudget(l10n.t('As many epochs as are usual for the task')));
  if (!budget) return;
  const hours: [string, unknown][] = budget.hours === undefined ? [] : [['train.hours', budget.hours]];
  const model = weights.run === undefined ? [] : await networkOf(weights.run);
  await planFolder(ctx, given, (text) =>
    withNote(
      withFields(text, [
        ...model,
        ['start.from', weights.from],
        ['engine.device', device.device],
        ...device.fields,
        ...hours,
      ]),
      startNote(ctx),
    ),
  );
}

/** The network of a run, whose weights fit no other. @param folder or address of the run */
async function networkOf(folder: string): Promise<[string, unknown][]> {
  const { model } = resolvedModel.parse(JSON.parse(await readText(`${folder}/config.resolved.json`)));
  const { preset, stages = networks[preset].stages } = model;
  return [
    ['model.preset', preset],
    // Null fields stay as they are by default.
    ['model.stages', stages === networks[preset].stages ? null : stages],
  ];
}

const resolvedModel = z.object({ model: z.object({ preset: z.enum(presetNames), stages: z.int().optional() }) });

/** How a configuration for another machine is started: its paths are paths there. */
function startNote({ daemon }: ContextAt): string[] {
  const { machine } = daemon;
  return machine === undefined
    ? []
    : [l10n.t('Its paths are those of {0}: start it with "UniMiSS: Start on Machine…".', machine)];
}

/** Fields that differ from their default. */
function withFields(text: string, fields: readonly (readonly [string, unknown])[]): string {
  return fields.reduce((now, [field, value]) => (value === null ? now : setField(now, field.split('.'), value)), text);
}

/** Paths on the machine of a context. */
async function pickFolders(ctx: ContextAt): Promise<readonly string[] | undefined> {
  if (ctx.daemon.machine !== undefined) {
    const place = await askPath(ctx, { title, placeHolder: l10n.t('Folder with images') });
    return place && [place.path];
  }
  const picked = await window.showOpenDialog({
    title: l10n.t('Folders with images (NIfTI, NRRD, MetaImage, DICOM, PNG, JPEG)'),
    openLabel: l10n.t('Use These Folders'),
    ...{ canSelectFiles: false, canSelectFolders: true, canSelectMany: true },
  });
  return picked?.map(({ fsPath }) => fsPath);
}

interface Device {
  readonly device: 'cpu' | 'cuda';
  readonly fields: readonly (readonly [string, unknown])[];
}

/** Asks only where there is a choice. */
async function askDevice(ctx: ContextAt): Promise<Device | undefined> {
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
