import { window } from 'vscode';

/**
 * Shows a notification. The editor turns `[words](command:…)` in it into a link that runs a command; the text may have names of files, runs
 * and classes that come from someone else, so it gets no link.
 * @returns the button that the user chose
 */
export async function notify(
  kind: 'info' | 'warning' | 'error',
  text: string,
  ...buttons: string[]
): Promise<string | undefined> {
  const plain = withoutLinks(text);
  if (kind === 'error') return window.showErrorMessage(plain, ...buttons);
  return kind === 'warning'
    ? window.showWarningMessage(plain, ...buttons)
    : window.showInformationMessage(plain, ...buttons);
}

export function withoutLinks(text: string): string {
  return text.replaceAll('](', '] (');
}
