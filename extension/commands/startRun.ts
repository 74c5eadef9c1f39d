import { basename } from 'node:path';
import { commands, type TextDocument, type Uri, window, workspace } from 'vscode';
import { runCreate } from '../../protocol/daemon/messages.ts';
import type { RunInfo } from '../../protocol/runs/runInfo.ts';
import { errorsIn } from '../configuration/diagnostics.ts';
import type { Context } from '../context.ts';
import { ensureEngine } from './engine.ts';

/** Starts a run from a configuration file, and shows it. */
export async function startFile(ctx: Context, file: Uri): Promise<void> {
  const document = await saveAndCheck(file);
  if (!document || !(await ensureEngine(ctx))) return;
  const run = await createRun(ctx, document.getText(), document.uri);
  await ctx.view.show();
  ctx.panels.show([run.folder]);
}

/** Saves a configuration. @returns undefined if something in it prevents a start, which is shown to the user */
export async function saveAndCheck(file: Uri): Promise<TextDocument | undefined> {
  const document = await workspace.openTextDocument(file);
  if (document.isDirty) await document.save();
  const problems = errorsIn(document);
  const [first] = problems;
  if (!first) return document;
  await window.showTextDocument(document, { selection: first.range });
  await commands.executeCommand('workbench.actions.view.problems');
  const count = problems.length === 1 ? 'Fix 1 value' : `Fix ${problems.length} values`;
  void window.showErrorMessage(`${count} in ${basename(file.fsPath)} before training: see the Problems view.`);
  return undefined;
}

/** Creates and starts a run. @param file where relative paths in the configuration start */
export async function createRun({ daemon, store }: Context, config: string, file: Uri): Promise<RunInfo> {
  const { notices, ...run } = await daemon.request(runCreate, { from: { config, file: file.fsPath } });
  store.put(run);
  for (const notice of notices) void window.showInformationMessage(notice);
  return run;
}
