import { l10n, window } from 'vscode';
import { runGet } from '../../protocol/daemon/messages.ts';
import { UnimissError } from '../../protocol/errors.ts';
import type { RunInfo } from '../../protocol/runs/runInfo.ts';
import type { Context } from '../context.ts';
import { describeRun } from './describeRun.ts';

/**
 * The run that a command is for: the one it was called on (in the tree), else the only candidate, else the one that the user
 * picks. Undefined if the user cancels.
 * @param fits whether a run is a candidate
 * @param none what to say if there is no candidate
 */
export async function chooseRun(
  ctx: Context,
  given: unknown,
  { title, fits, none }: { title: string; fits: (run: RunInfo) => boolean; none: string },
): Promise<RunInfo | undefined> {
  if (isElement(given)) return ctx.store.get(given.folder) ?? ctx.daemon.request(runGet, { run: given.folder });
  await ctx.store.load();
  const runs = ctx.store.runs.filter(fits);
  if (runs.length === 0) throw new UnimissError('run', none);
  if (runs.length === 1) return runs[0];
  const { selected } = ctx.view;
  const sorted = [...runs].sort(
    (a, b) => Number(b.folder === selected?.folder) - Number(a.folder === selected?.folder),
  );
  const items = sorted.map((run) => ({ label: run.id, description: describeRun(run), run }));
  return (await window.showQuickPick(items, { title, placeHolder: l10n.t('Which run?'), matchOnDescription: true }))
    ?.run;
}

function isElement(given: unknown): given is { folder: string } {
  return typeof given === 'object' && given !== null && 'folder' in given && typeof given.folder === 'string';
}
