import { commands, type Disposable, window } from 'vscode';
import type { RunInfo } from '../../protocol/runs/runInfo.ts';
import type { Context } from '../context.ts';
import { isActive } from './describeRun.ts';

/** Notifies the user if a run fails while this window watches: someone has to act. */
export function tellEndings({ store }: Context): Disposable {
  return store.onDidChange(({ before, folders }) => {
    // The first list describes the past.
    for (const folder of folders ?? [...before.keys()]) {
      const [was, is] = [before.get(folder), store.get(folder)];
      if (was && is && isActive(was) && !isActive(is) && ['failed', 'died'].includes(is.ending?.how ?? ''))
        void tell(is);
    }
  });
}

async function tell(run: RunInfo): Promise<void> {
  const resumable = run.state === 'interrupted';
  const answer = await window.showErrorMessage(
    `${run.id}: ${run.ending!.message}`,
    ...(resumable ? ['Resume', 'Show Log'] : ['Show Log']),
  );
  if (answer === 'Resume') await commands.executeCommand('unimiss.resumeRun', { folder: run.folder });
  if (answer === 'Show Log') await commands.executeCommand('unimiss.showLog', { folder: run.folder });
}
