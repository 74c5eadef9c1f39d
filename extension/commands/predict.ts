import { basename, posix } from 'node:path';
import { commands, l10n, Uri, window, workspace } from 'vscode';
import type { ParamsOf } from '../../protocol/daemon/rpc.ts';
import { type Predicted, type PredictResult, predict } from '../../protocol/jobs/predictMessages.ts';
import { parseAddress } from '../../protocol/machines/address.ts';
import type { RunInfo } from '../../protocol/runs/runInfo.ts';
import type { Context, ContextAt } from '../context.ts';
import { askNewFolder, askPath, openThere } from '../machines/askPath.ts';
import { addressOfUri, uriOf } from '../machines/machineUri.ts';
import { addressThere, byMachine, folderThere, homeThere, where } from '../machines/there.ts';
import { notify } from '../notify.ts';
import { openFolder } from '../openFolder.ts';
import { chooseRun } from '../runs/chooseRun.ts';
import { deviceOf } from '../runs/device.ts';
import { isFinetuning } from '../runs/kinds.ts';
import { withProgress } from '../withProgress.ts';
import { ensureEngine } from './engine.ts';
import { watchingLabels } from './watchingLabels.ts';

/**
 * `unimiss.predict`: labels an image, a folder of images or a DICOM series with a fine-tuned network, on the machine of the network's
 * run. From the explorer or the viewer (a file or folder), from a run, or from the palette.
 */
export function predictCommands(ctx: Context): Record<string, (given?: unknown) => Promise<void>> {
  return {
    async 'unimiss.predict'(given) {
      const image = given instanceof Uri ? parseAddress(addressOfUri(given)) : undefined;
      const run = await chooseRun(ctx, image ? undefined : given, {
        title: l10n.t('Predict'),
        fits: (one) => isFinetuning(one) && (!image || parseAddress(one.folder).machine === image.machine),
        none: byMachine(
          image?.machine,
          l10n.t('No fine-tuned network yet. "UniMiSS: Start Fine-tuning" trains one.'),
          (machine) =>
            l10n.t(
              'No fine-tuned network yet on {0}, where the image is. "UniMiSS: Start Fine-tuning" trains one.',
              machine,
            ),
        ),
      });
      if (!run) return;
      const there = where(ctx, run);
      const input = image?.path ?? (await chooseInput(there));
      const out = input && (await chooseOutput(there, run, input));
      if (!out || !(await ensureEngine(there, deviceOf(run)))) return;
      await predictAndShow(there, { run: folderThere(run), input, out });
    },
  };
}

/** Paths are those of the machine. */
type Task = Pick<ParamsOf<typeof predict>, 'run' | 'input' | 'out' | 'force'>;

async function predictAndShow(ctx: ContextAt, task: Task): Promise<void> {
  const name = basename(task.input);
  const title = byMachine(ctx.daemon.machine, l10n.t('UniMiSS: predicting {0}', name), (machine) =>
    l10n.t('UniMiSS: predicting {0} on {1}', name, machine),
  );
  const result = await watchingLabels(ctx, { image: task.input, run: task.run }, (growing) =>
    withProgress(ctx.daemon, title, (workDoneToken, cancelled) =>
      ctx.daemon.request(predict, { ...task, growing, workDoneToken }, cancelled),
    ),
  );
  // Of another machine, the editor may only read what the user named.
  if (ctx.daemon.machine !== undefined) for (const path of [task.input, task.out]) await openThere(ctx, path);
  for (const { image, notices } of result.predicted)
    for (const notice of notices) ctx.output.warn(`${image}: ${notice}`);
  await show(ctx, result, task);
}

async function chooseInput(ctx: ContextAt): Promise<string | undefined> {
  const { machine } = ctx.daemon;
  if (machine !== undefined)
    return (
      await askPath(ctx, {
        title: l10n.t('Predict on {0}', machine),
        placeHolder: l10n.t('An image, a folder with images, or of a DICOM series'),
      })
    )?.path;
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
  return picked?.[0]?.fsPath;
}

/** Where the labels go: a folder for them in the workspace, or one that the user chooses. Never beside the images unasked. */
async function chooseOutput(ctx: ContextAt, run: RunInfo, input: string): Promise<string | undefined> {
  const title = l10n.t('Predict {0} with {1}', basename(input), run.id);
  if (ctx.daemon.machine !== undefined)
    return askNewFolder(ctx, { title, usual: posix.join(homeThere(ctx), 'predictions', run.id) });
  const [workspaceFolder] = workspace.workspaceFolders ?? [];
  const usual = workspaceFolder && Uri.joinPath(workspaceFolder.uri, 'predictions', run.id);
  const other = { label: l10n.t('Another folder…'), uri: undefined };
  const picked = usual
    ? await window.showQuickPick([{ label: workspace.asRelativePath(usual), uri: usual }, other], {
        title,
        placeHolder: l10n.t('Folder for the labels'),
      })
    : other;
  if (!picked || picked.uri) return picked?.uri.fsPath;
  const folders = await window.showOpenDialog({
    title: l10n.t('Folder for the labels'),
    openLabel: l10n.t('Write Labels Here'),
    canSelectFiles: false,
    canSelectFolders: true,
  });
  return folders?.[0]?.fsPath;
}

/** Says what was done, opens the table or the labels of a single image, and names the images that failed. */
async function show(ctx: ContextAt, { predicted, skipped, failed, table }: PredictResult, task: Task): Promise<void> {
  const [only, ...others] = predicted;
  const counts = [
    labelledText(predicted.length, ctx.daemon.machine),
    ...(skipped > 0 ? [l10n.t('{0} skipped: their labels are there already', skipped)] : []),
    ...(failed.length > 0 ? [l10n.t('{0} failed', failed.length)] : []),
  ];
  for (const { image, reason } of failed) ctx.output.error(`${image}: ${reason}`);
  const [first] = failed;
  const text = `${counts.join(', ')}.${first ? ` ${basename(first.image)}: ${first.reason}` : ''}`;
  if (only && others.length === 0 && only.files.length > 0) await showLabels(ctx, only);
  else if (table) await commands.executeCommand('vscode.open', uriOf(addressThere(ctx, table)), { preview: false });
  const [anyway, reveal, log] = [l10n.t('Predict Anyway'), l10n.t('Show Folder'), l10n.t('Show Log')];
  // What was refused only because it differs from the images of the training can be predicted all the same.
  const buttons = [...(failed.some(({ unlike }) => unlike) ? [anyway] : []), reveal, log];
  const answer = await (first ? notify('warning', text, ...buttons) : notify('info', text, reveal));
  if (answer === anyway) await predictAndShow(ctx, { ...task, force: true });
  if (answer === log) ctx.output.show();
  if (answer === reveal) await openFolder(addressThere(ctx, task.out));
}

function labelledText(images: number, machine: string | undefined): string {
  if (images === 1)
    return byMachine(machine, l10n.t('1 image labelled'), (host) => l10n.t('1 image labelled on {0}', host));
  return byMachine(machine, l10n.t('{0} images labelled', images), (host) =>
    l10n.t('{0} images labelled on {1}', images, host),
  );
}

/** The image in the viewer, with its labels over it. */
async function showLabels(ctx: ContextAt, { image, files }: Predicted): Promise<void> {
  const uri = (path: string) => uriOf(addressThere(ctx, path));
  // A DICOM segmentation holds the same labels as the maps beside it.
  const maps = files.filter((file) => !/\.dcm$/i.test(file));
  for (const file of maps.length > 0 ? maps : files)
    await commands.executeCommand('unimiss.addOverlay', uri(file), uri(image));
}
