import { homedir } from 'node:os';
import { basename, join, posix } from 'node:path';
import { commands, l10n, ProgressLocation, Uri, window, workspace } from 'vscode';
import { embed, runExport, runReport } from '../../protocol/daemon/messages.ts';
import type { EmbedResult } from '../../protocol/jobs/embedMessages.ts';
import type { RunInfo } from '../../protocol/runs/runInfo.ts';
import type { Context, ContextAt } from '../context.ts';
import { askNewFolder, askPath, openThere } from '../machines/askPath.ts';
import { copyHere } from '../machines/copyHere.ts';
import { addressThere, folderThere, homeThere, where } from '../machines/there.ts';
import { notify } from '../notify.ts';
import { openFolder } from '../openFolder.ts';
import { chooseRun } from '../runs/chooseRun.ts';
import { deviceOf } from '../runs/device.ts';
import { isPretraining } from '../runs/kinds.ts';
import { requireRow } from '../runs/requireRow.ts';
import { withProgress } from '../withProgress.ts';
import { ensureEngine } from './engine.ts';

const trained = {
  fits: ({ state }: RunInfo) => state !== 'new',
  none: l10n.t('No run has been trained yet. "UniMiSS: Start Pre-training" starts one.'),
};

/** Commands that write what a run has for others: its report or tables, its weights, features of images. */
export function exportCommands(ctx: Context): Record<string, (given?: unknown) => Promise<void>> {
  return {
    async 'unimiss.openReport'(given) {
      const run = await chooseRun(ctx, given, { title: l10n.t('Open Report'), ...trained });
      if (!run) return;
      const { file } = await ctx.daemon.request(runReport, {
        ...{ run: run.folder, format: 'html', out: posix.join(folderThere(run), 'report.html') },
      });
      await ctx.reportPanels.show(addressThere(where(ctx, run), file), l10n.t('Report of {0}', run.name));
    },
    async 'unimiss.exportReport'(given) {
      const run = await chooseRun(ctx, given, { title: l10n.t('Export Report or Table'), ...trained });
      const picked =
        run &&
        (await window.showQuickPick(formats, { title: l10n.t('Export from {0}', run.id), placeHolder: 'What?' }));
      const out = picked && (await askForFile(`${run.id}${picked.suffix}`, picked.label, picked.filters));
      if (!out) return;
      // On another machine it is written into the run's folder, and copied from there.
      const there = where(ctx, run);
      const { machine } = there.daemon;
      const written = machine === undefined ? out.fsPath : posix.join(folderThere(run), `report${picked.suffix}`);
      const { notices } = await ctx.daemon.request(runReport, {
        ...{ run: run.folder, format: picked.format, out: written },
      });
      const file = out.fsPath;
      if (machine !== undefined) await copyHere(there.daemon, addressThere(there, written), out);
      for (const notice of notices) ctx.output.warn(notice);
      if (picked.format === 'html') await ctx.reportPanels.show(file, l10n.t('Report of {0}', run.name));
      else await commands.executeCommand('vscode.open', Uri.file(file), { preview: false });
    },
    async 'unimiss.exportRun'(...args: unknown[]) {
      requireRow(args);
      const [given] = args;
      const checkpoint = ctx.view.checkpoint(given)?.step;
      const run = await chooseRun(ctx, given, { title: l10n.t('Export Weights'), ...trained });
      const network = run && (await chooseNetwork(run));
      const at = checkpoint === undefined ? '' : `-step-${checkpoint}`;
      const out =
        network && (await askForFile(`${run.id}${at}-weights`, l10n.t('New folder for weights, plan and model card')));
      if (!out) return;
      const there = where(ctx, run);
      const { machine } = there.daemon;
      // From another machine they are copied; there they stay in the run's folder.
      const made = machine === undefined ? out.fsPath : posix.join(folderThere(run), 'exports', basename(out.fsPath));
      const { folder, step, notices } = await ctx.daemon.request(runExport, {
        ...{ run: run.folder, out: made, network, checkpoint },
      });
      for (const notice of notices) ctx.output.warn(notice);
      if (machine !== undefined)
        await window.withProgress(
          { location: ProgressLocation.Notification, title: l10n.t('UniMiSS: copying the weights from {0}', machine) },
          () => copyHere(there.daemon, addressThere(there, folder), out),
        );
      await offerFolder(
        l10n.t('The weights of {0} after {1} steps are in {2}.', run.id, step, basename(out.fsPath)),
        out.fsPath,
      );
    },
    async 'unimiss.computeFeatures'(given) {
      const none = l10n.t('No pre-training run yet. "UniMiSS: Start Pre-training" starts one.');
      const fits = (one: RunInfo) => isPretraining(one) && trained.fits(one);
      const run = await chooseRun(ctx, given, { title: l10n.t('Compute Features'), fits, none });
      if (!run) return;
      const there = where(ctx, run);
      const images = await chooseImages(there);
      const out = images && (await featuresFolder(there, run));
      if (!out || !(await ensureEngine(there, deviceOf(run)))) return;
      const task = { run: folderThere(run), out, ...(images.data && { data: images.data }) };
      const result = await withProgress(
        there.daemon,
        l10n.t('UniMiSS: computing features with {0}', run.id),
        (workDoneToken, cancelled) => there.daemon.request(embed, { ...task, workDoneToken }, cancelled),
      );
      if (there.daemon.machine !== undefined) await openThere(there, out);
      for (const notice of result.notices) ctx.output.info(notice);
      for (const { id, reason } of result.broken) ctx.output.warn(`${id}: ${reason}`);
      await offerFolder(featuresText(result), addressThere(there, out));
    },
  };
}

const csv = { 'CSV table': ['csv'] };
const formats = [
  {
    ...{ label: l10n.t('Report'), detail: l10n.t('A page with curves, warnings and previews, in one file') },
    ...{ format: 'html' as const, suffix: '.html', filters: { 'HTML page': ['html'] } },
  },
  { label: l10n.t('Table of steps'), detail: 'CSV', format: 'csv' as const, suffix: '-steps.csv', filters: csv },
  {
    label: l10n.t('Table of epochs'),
    detail: 'CSV',
    format: 'csv-epochs' as const,
    suffix: '-epochs.csv',
    filters: csv,
  },
];

async function chooseNetwork(run: RunInfo): Promise<'student' | 'teacher' | undefined> {
  if (!isPretraining(run)) return 'student'; // a fine-tuning has one network
  const networks = [
    {
      label: l10n.t('Student'),
      detail: l10n.t('The network that is trained, for fine-tuning'),
      network: 'student' as const,
    },
    { label: l10n.t('Teacher'), detail: l10n.t('Its moving average, for features'), network: 'teacher' as const },
  ];
  const title = l10n.t('Export the weights of {0}', run.id);
  return (await window.showQuickPick(networks, { title, placeHolder: l10n.t('Which network?') }))?.network;
}

/** The images to embed; `data` undefined: those of the run. */
async function chooseImages(ctx: ContextAt): Promise<{ data: string | undefined } | undefined> {
  const own = { label: l10n.t('The images of the run'), other: false };
  const other = { label: l10n.t('Another folder…'), other: true };
  const picked = await window.showQuickPick([own, other], {
    title: l10n.t('Compute Features'),
    placeHolder: l10n.t('Of which images?'),
  });
  if (!picked?.other) return picked && { data: undefined };
  const { machine } = ctx.daemon;
  if (machine !== undefined) {
    const there = await askPath(ctx, {
      title: l10n.t('Compute Features on {0}', machine),
      placeHolder: l10n.t('Folder with images'),
    });
    return there && { data: there.path };
  }
  const options = { openLabel: l10n.t('Use These Images'), canSelectFiles: false, canSelectFolders: true };
  const [data] = (await window.showOpenDialog({ title: l10n.t('Folder with images'), ...options })) ?? [];
  return data && { data: data.fsPath };
}

async function featuresFolder(ctx: ContextAt, run: RunInfo): Promise<string | undefined> {
  const title = l10n.t('New folder for the features');
  if (ctx.daemon.machine === undefined) return (await askForFile(`${run.id}-features`, title))?.fsPath;
  return askNewFolder(ctx, { title, usual: posix.join(homeThere(ctx), 'features', run.id) });
}

/** A new file or folder that the user names. */
async function askForFile(name: string, title: string, filters?: Record<string, string[]>): Promise<Uri | undefined> {
  const [first] = workspace.workspaceFolders ?? [];
  const defaultUri = first ? Uri.joinPath(first.uri, name) : Uri.file(join(homedir(), name));
  return window.showSaveDialog({ title, saveLabel: l10n.t('Export'), defaultUri, ...(filters && { filters }) });
}

async function offerFolder(text: string, folder: string): Promise<void> {
  const show = l10n.t('Show Folder');
  if ((await notify('info', text, show)) === show) await openFolder(folder);
}

function featuresText({ phases, broken }: EmbedResult): string {
  const parts = phases.map(({ phase, images, length, neighbours }) => {
    if (!neighbours) return l10n.t('{0}: {1} images, {2} numbers each', phase, images, length);
    const accuracy = Math.round(100 * neighbours.accuracy);
    return l10n.t('{0}: {1} images, {2} numbers each, k-NN accuracy {3} %', phase, images, length, accuracy);
  });
  const unread = broken.length > 0 ? [l10n.t('{0} images could not be read: see the log.', broken.length)] : [];
  return [`${parts.join('; ')}.`, ...unread].join(' ');
}
