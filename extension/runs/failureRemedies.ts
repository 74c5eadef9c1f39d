import { commands, l10n } from 'vscode';
import { fromErrorData } from '../../protocol/daemon/wireError.ts';
import type { RunInfo } from '../../protocol/runs/runInfo.ts';
import { duplicateConfiguration } from '../commands/runFiles.ts';
import type { Context } from '../context.ts';
import { type Remedy, remediesOf } from '../remedies.ts';
import { withLowerRate } from './lowerRate.ts';

/** What a user can do about a run that failed: resume it, begin anew with other settings, look at what is wrong. */
export function failureRemedies(ctx: Context, run: RunInfo): Remedy[] {
  const on = (title: string, command: string): Remedy => ({
    title,
    run: () => commands.executeCommand(command, { folder: run.folder }),
  });
  const error = run.ending?.error;
  const own: Remedy[] = [];
  if (run.state === 'interrupted' || error?.code === 'disk') own.push(on(l10n.t('Resume'), 'unimiss.resumeRun'));
  if (error?.code === 'diverged')
    own.push({
      title: l10n.t('New Run with Lower Learning Rate'),
      run: () => duplicateConfiguration(ctx, run, withLowerRate),
    });
  if (error?.code === 'data' || error?.code === 'config' || error?.code === 'checkpoint')
    own.push(on(l10n.t('Duplicate as New Configuration'), 'unimiss.duplicateConfiguration'));
  if (error?.code === 'disk') own.push(on(l10n.t('Open Run Folder'), 'unimiss.openRunFolder'));
  const others = error ? remediesOf(fromErrorData(error)) : [];
  return [...own, ...others].slice(0, 3).concat(on(l10n.t('Show Log'), 'unimiss.showLog'));
}
