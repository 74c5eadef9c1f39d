import { element } from '../shared/dom.ts';
import { keyHelp } from './keys.ts';

/** What mouse and keys do. */
export function helpDialog(): HTMLDialogElement {
  const close = element('button', { type: 'button' }, 'Close');
  const rows = keyHelp.map(([keys, meaning]) =>
    element('tr', {}, element('th', { scope: 'row' }, keys), element('td', {}, meaning)),
  );
  const dialog = element(
    'dialog',
    { attributes: { 'aria-label': 'Mouse and keys' } },
    element('h2', {}, 'Mouse and keys'),
    element('table', {}, element('tbody', {}, ...rows)),
    close,
  );
  close.addEventListener('click', () => dialog.close());
  return dialog;
}
