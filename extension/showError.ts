import { type LogOutputChannel, window } from 'vscode';
import { messageOf, UnimissError } from '../protocol/errors.ts';

/** Shows what went wrong and its remedy. Shows nothing if the user cancelled. */
export async function showError(error: unknown, output: LogOutputChannel): Promise<void> {
  if (error instanceof UnimissError && error.code === 'interrupted') return;
  output.error(error instanceof UnimissError ? error.message : error instanceof Error ? error : messageOf(error));
  const showLog = 'Show Log';
  if ((await window.showErrorMessage(sentence(error), showLog)) === showLog) output.show();
}

/** Notifications have a single line. */
export function sentence(error: unknown): string {
  if (!(error instanceof UnimissError)) return messageOf(error);
  const { place, remedy } = error.details;
  const what = `${place ? `${place}: ` : ''}${error.what}`.replace(/[.\s]*$/, '.');
  return remedy ? `${what} ${remedy.replace(/\s+/g, ' ')}` : what;
}
