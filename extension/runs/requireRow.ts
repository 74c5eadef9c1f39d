import { l10n } from 'vscode';
import { UnimissError } from '../../protocol/errors.ts';

/**
 * Refuses a command that comes from the menu of a row which its view has drawn anew meanwhile: without the row, the command would take the
 * run's newest checkpoint instead of the one that was clicked. The editor then hands over no row, and as second argument the other selected
 * rows or undefined. The palette gives no argument, titles of views one, titles of editors an object as the second.
 * @param args all arguments of the command
 * @throws UnimissError 'run'
 */
export function requireRow(args: readonly unknown[]): void {
  const [row, others] = args;
  if (args.length < 2 || row !== undefined || !(others === undefined || Array.isArray(others))) return;
  throw new UnimissError('run', l10n.t('The row changed while its menu was open, so nothing was done'), {
    remedy: l10n.t('Choose the command again.'),
  });
}
