import { basename } from 'node:path';
import { commands, l10n, Uri, window, workspace } from 'vscode';
import type { ParamsOf } from '../../protocol/daemon/rpc.ts';
import { type Predicted, type PredictResult, predict } from '../../protocol/jobs/predictMessages.ts';
import type { RunInfo } from '../../protocol/runs/runInfo.ts';
import type { Context } from '../context.ts';
import { requireHere } from '../machines/runFiles.ts';
import { openFolder } from '../openFolder.ts';
import { chooseRun } from '../runs/chooseRun.ts';
import { deviceOf } from '../runs/device.ts';
import { isFinetuning } from '../runs/kinds.ts';
import { withProgress } from '../withProgress.ts';
import { ensureEngine } from './engine.ts';
import { watchingLabels } from './watchingLabels.ts';

/**
 * `unimiss.predict`: labels an image, a folder of images or a DICOM series with a fine-tuned network. From the explorer (a file or
 * folder), from a run, or from the palette.
 */
export function predictCommands(ctx: Context): Record<string, (given?: unknown) => Promise<void>> {
  return {
    async 'unimiss.predict'(given) {
      const run = await chooseRun(ctx, given instanceof Uri ? undefined : given, {
        title: l10n.t('Predict'),
        fits: isFinetuning,
        none: l10n.t('No fine-tuned network yet. "UniMiSS: Start Fine-tuning" trains one.'),
      });
      if (run) requireHere(run, l10n.t('images and labels would have to be there too'));
      const input = run && (given instanceof Uri ? given : await chooseInput());
      const out = input && (await chooseOutput(run, input));
      if (!out || !(await ensureEngine(ctx, deviceOf(run)))) return;
      await predictAndShow(ctx, { run: run.folder, input: input.fsPath, out: out.fsPath });
    },
  };
}

type Task = Pick<ParamsOf<typeof predict>, 'run' | 'input' | 'out' | 'force'>;

async function predictAndShow(ctx: Context, task: Task): Promise<void> {
  const result = await watchingLabels(ctx, Uri.file(task.input), (growing) =>
    withProgress(ctx.daemon, l10n.t('UniMiSS: predicting {0}', basename(task.input)), (workDoneToken, cancelled) =>
      ctx.daemon.request(predict, { ...task, growing, workDoneToken }, cancelled),
    ),
  );
  for (const { image, notices } of result.predicted)
    for (const notice of notices) ctx.output.warn(`${image}: ${notice}`);
  await show(ctx, result, task);
}

async function chooseInput(): Promise<Uri | undefined> {
  const kinds = [
    { label: l10n.t('An image…'), detail: l10n.t('NIfTI, NRRD, MetaImage, PNG, JPEG or DICOM'), folder: false },
    { label: l10n.t('A folder…'), detail: l10n.t('A folder with images, or of a DICOM series'), folder: true },
  ];
  const kind = await window.showQuickPick(kinds, {
    title: l10n.t('Predict'),
    placeHolder: l10n.t('What do you want to label?'),
  });
  if (!kind) return undefined;
  const picked = await window.showOpenDialog({
    title: kind.folder ? l10n.t('Folder with images') : l10n.t('Image'),
    openLabel: l10n.t('Predict'),
    canSelectFiles: !kind.folder,
    canSelectFolders: kind.folder,
  });
  return picked?.[0];
}

/** Where the labels go: a folder for them in the workspace, or one that the user chooses. Never beside the images unasked. */
async function chooseOutput(run: RunInfo, input: Uri): Promise<Uri | undefined> {
  const [workspaceFolder] = workspace.workspaceFolders ?? [];
  const usual = workspaceFolder && Uri.joinPath(workspaceFolder.uri, 'predictions', run.id);
  const other = { label: l10n.t('Another folder…'), uri: undefined };
  const picked = usual
    ? await window.showQuickPick([{ label: workspace.asRelativePath(usual), uri: usual }, other], {
        title: l10n.t('Predict {0} with {1}', basename(input.fsPath), run.id),
        placeHolder: l10n.t('Folder for the labels'),
      })
    : other;
  if (!picked || picked.uri) return picked?.uri;
  const folders = await window.showOpenDialog({
    title: l10n.t('Folder for the labels'),
    openLabel: l10n.t('Write Labels Here'),
    canSelectFiles: false,
    canSelectFolders: true,
  });
  return folders?.[0];
}

/** Says what was done, opens the table or the labels of a single image, and names the images that failed. */
async function show(ctx: Context, { predicted, skipped, failed, table }: PredictResult, task: Task): Promise<void> {
  const [only, ...others] = predicted;
  const counts = [
    l10n.t('{0} {1} labelled', predicted.length, predicted.length === 1 ? 'image' : 'images'),
    ...(skipped > 0 ? [l10n.t('{0} skipped: their labels are there already', skipped)] : []),
    ...(failed.length > 0 ? [l10n.t('{0} failed', failed.length)] : []),
  ];
  for (const { image, reason } of failed) ctx.output.error(`${image}: ${reason}`);
  const [first] = failed;
  const text = `${counts.join(', ')}.${first ? ` ${basename(first.image)}: ${first.reason}` : ''}`;
  if (only && others.length === 0 && only.files.length > 0) await showLabels(only);
  else if (table) await commands.executeCommand('vscode.open', Uri.file(table), { preview: false });
  const [anyway, reveal, log] = [l10n.t('Predict Anyway'), l10n.t('Show Folder'), l10n.t('Show Log')];
  // What was refused only because it differs from the images of the training can be predicted all the same.
  const buttons = [...(failed.some(({ unlike }) => unlike) ? [anyway] : []), reveal, log];
  const answer = await (first
    ? window.showWarningMessage(text, ...buttons)
    : window.showInformationMessage(text, reveal));
  if (answer === anyway) await predictAndShow(ctx, { ...task, force: true });
  if (answer === log) ctx.output.show();
  if (answer === reveal) await openFolder(task.out);
}

/** The image in the viewer, with its labels over it. */
async function showLabels({ image, files }: Predicted): Promise<void> {
  // A DICOM segmentation holds the same labels as the maps beside it.
  const maps = files.filter((file) => !/\.dcm$/i.test(file));
  for (const file of maps.length > 0 ? maps : files)
    await commands.executeCommand('unimiss.addOverlay', Uri.file(file), Uri.file(image));
}
