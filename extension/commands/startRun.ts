import { basename } from 'node:path';
import { commands, l10n, Range, type TextDocument, type Uri, window, workspace } from 'vscode';
import { runCreate } from '../../protocol/daemon/messages.ts';
import type { RunInfo } from '../../protocol/runs/runInfo.ts';
import { problemsIn } from '../configuration/configHelp.ts';
import type { ContextAt } from '../context.ts';
import { fileThere } from '../machines/there.ts';
import { notify } from '../notify.ts';
import { withRemedies } from '../remedies.ts';
import { deviceIn } from '../runs/device.ts';
import { ensureEngine } from './engine.ts';
import { lastLook } from './lastLook.ts';
import { startRemedies } from './startRemedies.ts';

/** Says what a run of a configuration file will do, starts it if that is wanted, and shows it. */
export async function startFile(ctx: ContextAt, file: Uri): Promise<void> {
  const document = await saveAndCheck(ctx, file);
  if (!document) return;
  const how = await lastLook(ctx, document, { ways: [{ label: l10n.t('Start'), how: 'start' }] });
  if (how === 'edit') await window.showTextDocument(document, { preview: false });
  if (how !== 'start' || !(await ensureEngine(ctx, deviceIn(document.getText())))) return;
  await showRun(ctx, await createRun(ctx, document.getText(), document.uri));
}

/** Saves a configuration. @returns undefined if something in it prevents a start, which is shown to the user */
export async function saveAndCheck(
  { daemon }: Pick<ContextAt, 'daemon'>,
  file: Uri,
): Promise<TextDocument | undefined> {
  const document = await workspace.openTextDocument(file);
  if (document.isDirty) await document.save();
  const problems = await problemsIn(daemon, document);
  const [first] = problems;
  if (!first) return document;
  const place = new Range(document.positionAt(first.offset), document.positionAt(first.offset + first.length));
  await window.showTextDocument(document, { selection: place });
  await commands.executeCommand('workbench.actions.view.problems');
  const count = problems.length === 1 ? l10n.t('Fix 1 problem') : l10n.t('Fix {0} problems', problems.length);
  void notify('error', l10n.t('{0} in {1} before training: see the Problems view.', count, basename(file.fsPath)));
  return undefined;
}

/** Creates and starts a run. An error has buttons that do what helps. @param file where relative paths in the configuration start */
export async function createRun(ctx: ContextAt, config: string, file: Uri): Promise<RunInfo> {
  try {
    const { notices, ...run } = await ctx.daemon.request(runCreate, { from: { config, file: fileThere(ctx, file) } });
    ctx.store.put(run);
    for (const notice of notices) void notify('info', notice);
    return run;
  } catch (error) {
    const again = async (text: string) => showRun(ctx, await createRun(ctx, text, file));
    throw withRemedies(error, startRemedies(error, { config, file, again, here: ctx.daemon.machine === undefined }));
  }
}

/** Shows a run that has begun. */
export async function showRun(
  { view, panels }: Pick<ContextAt, 'view' | 'panels'>,
  { folder }: RunInfo,
): Promise<void> {
  await view.show();
  panels.show([folder]);
}
