import type { Disposable, ExtensionContext } from 'vscode';
import type { Context } from '../context.ts';
import { isActive } from './describeRun.ts';

const key = 'unimiss.training';

/** Whether a run was active when a window last looked. If so, a new window looks again by itself. */
export function trainedWhenLastSeen({ globalState }: ExtensionContext): boolean {
  return globalState.get<boolean>(key, false);
}

export function rememberTraining({ extension, store }: Context): Disposable {
  return store.onDidChange(() => {
    const now = store.runs.some(isActive);
    if (now !== trainedWhenLastSeen(extension)) void extension.globalState.update(key, now);
  });
}
