import { type LogOutputChannel, l10n } from 'vscode';
import { forEditor } from '../protocol/editorWords.ts';
import { messageOf, UnimissError, withRemedy } from '../protocol/errors.ts';
import { notify } from './notify.ts';
import { remediesOf } from './remedies.ts';

/** Shows what went wrong, its remedy, and buttons that do the remedy. Shows nothing if the user cancelled. */
export async function showError(error: unknown, output: LogOutputChannel): Promise<void> {
  if (error instanceof UnimissError && error.code === 'interrupted') return;
  output.error(error instanceof UnimissError ? error.message : error instanceof Error ? error : messageOf(error));
  const remedies = [...remediesOf(error), { title: l10n.t('Show Log'), run: () => output.show() }];
  const answer = await notify('error', sentence(error), ...remedies.map(({ title }) => title));
  try {
    await remedies.find(({ title }) => title === answer)?.run();
  } catch (failure) {
    await showError(failure, output);
  }
}

/** Notifications have a single line, in the editor's words. */
export function sentence(error: unknown): string {
  if (!(error instanceof UnimissError)) return messageOf(error);
  const { place, remedy } = error.details;
  const what = `${place ? `${place}: ` : ''}${error.what}`.replace(/[.\s]*$/, '.');
  return forEditor(withRemedy(what, remedy, ' ')).replace(/\s+/g, ' ');
}
