import { commands, type Disposable, l10n, workspace } from 'vscode';
import { fromErrorData } from '../../protocol/daemon/wireError.ts';
import { forEditor } from '../../protocol/editorWords.ts';
import type { RunInfo } from '../../protocol/runs/runInfo.ts';
import { thousands } from '../../protocol/words.ts';
import type { Context } from '../context.ts';
import { notify } from '../notify.ts';
import { sentence, showError } from '../showError.ts';
import { isActive } from './describeRun.ts';
import { failureRemedies } from './failureRemedies.ts';

/** A run that finishes sooner was most likely watched, ms. */
const worthTelling = 5 * 60_000;

/** Tells how a run ended while this window was open: that it failed, or that a long one finished. Nothing ends in silence. */
export function tellEndings(ctx: Context): Disposable {
  const { store } = ctx;
  return store.onDidChange(({ before, folders }) => {
    // The first list describes the past.
    for (const folder of folders ?? [...before.keys()]) {
      const [was, is] = [before.get(folder), store.get(folder)];
      if (!was || !is || !isActive(was) || isActive(is)) continue;
      const notify = workspace.getConfiguration('unimiss').get<string>('notify');
      if (notify === 'never') continue;
      if (['failed', 'died'].includes(is.ending?.how ?? '')) void tellFailure(ctx, is);
      else if (is.state === 'finished' && notify === 'all' && tookLong(is)) void tellFinish(is);
    }
  });
}

function tookLong({ created, updated }: RunInfo): boolean {
  return Date.parse(updated) - Date.parse(created) > worthTelling;
}

async function tellFailure(ctx: Context, run: RunInfo): Promise<void> {
  const remedies = failureRemedies(ctx, run);
  const answer = await notify('error', `${run.id}: ${endingText(run)}`, ...remedies.map(({ title }) => title));
  try {
    await remedies.find(({ title }) => title === answer)?.run();
  } catch (error) {
    await showError(error, ctx.output);
  }
}

/** How a run that failed or died ended, in one line. */
function endingText({ ending }: RunInfo): string {
  if (ending?.error) return sentence(fromErrorData(ending.error));
  return ending ? forEditor(ending.message).replace(/\s+/g, ' ') : 'failed';
}

async function tellFinish(run: RunInfo): Promise<void> {
  const answer = await notify(
    'info',
    run.epochs === 1
      ? l10n.t('{0} finished its epoch.', run.id)
      : l10n.t('{0} finished its {1} epochs.', run.id, thousands(run.epochs)),
    l10n.t('Open Metrics'),
  );
  if (answer === l10n.t('Open Metrics')) await commands.executeCommand('unimiss.openMetrics', { folder: run.folder });
}
