import { commands, type Disposable, window, workspace } from 'vscode';
import type { RunInfo } from '../../protocol/runs/runInfo.ts';
import type { Context } from '../context.ts';
import { isActive } from './describeRun.ts';

/** A run that finishes sooner was most likely watched, ms. */
const worthTelling = 5 * 60_000;

/** Tells how a run ended while this window was open: that it failed, or that a long one finished. Nothing ends in silence. */
export function tellEndings({ store }: Context): Disposable {
  return store.onDidChange(({ before, folders }) => {
    // The first list describes the past.
    for (const folder of folders ?? [...before.keys()]) {
      const [was, is] = [before.get(folder), store.get(folder)];
      if (!was || !is || !isActive(was) || isActive(is)) continue;
      const notify = workspace.getConfiguration('unimiss').get<string>('notify');
      if (notify === 'never') continue;
      if (['failed', 'died'].includes(is.ending?.how ?? '')) void tellFailure(is);
      else if (is.state === 'finished' && notify === 'all' && tookLong(is)) void tellFinish(is);
    }
  });
}

function tookLong({ created, updated }: RunInfo): boolean {
  return Date.parse(updated) - Date.parse(created) > worthTelling;
}

async function tellFailure(run: RunInfo): Promise<void> {
  const resumable = run.state === 'interrupted';
  const answer = await window.showErrorMessage(
    `${run.id}: ${run.ending!.message}`,
    ...(resumable ? ['Resume', 'Show Log'] : ['Show Log']),
  );
  if (answer === 'Resume') await commands.executeCommand('unimiss.resumeRun', { folder: run.folder });
  if (answer === 'Show Log') await commands.executeCommand('unimiss.showLog', { folder: run.folder });
}

async function tellFinish(run: RunInfo): Promise<void> {
  const answer = await window.showInformationMessage(`${run.id} finished its ${run.epochs} epochs.`, 'Open Metrics');
  if (answer === 'Open Metrics') await commands.executeCommand('unimiss.openMetrics', { folder: run.folder });
}
