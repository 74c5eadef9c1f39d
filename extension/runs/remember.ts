import type { Disposable } from 'vscode';
import type { Context } from '../context.ts';
import { keepTrained, trainedWhenLastSeen } from '../lastSeen.ts';
import { isActive } from './describeRun.ts';

/** Leaves to the next window whether a run is active. */
export function rememberTraining({ extension, store }: Context): Disposable {
  return store.onDidChange(() => {
    const now = store.runs.some(isActive);
    if (now !== trainedWhenLastSeen(extension)) void keepTrained(extension, now);
  });
}
