import type { HeaderView } from '../../protocol/viewer/header.ts';
import { element } from '../shared/dom.ts';

/** The header of the file; what may name a patient is fetched only when it is asked for. */
export class HeaderDialog {
  readonly root: HTMLDialogElement;
  private readonly lines = element('tbody');
  private readonly hidden = element('p');
  private readonly reveal = element('button', { type: 'button' }, 'Show Hidden Values');

  constructor(ask: (revealed: boolean) => void) {
    const close = element('button', { type: 'button' }, 'Close');
    const body = element('div', {
      className: 'scroll',
      tabIndex: 0,
      attributes: { role: 'region', 'aria-label': 'Header' },
    });
    body.append(element('table', {}, this.lines));
    this.root = element(
      'dialog',
      { attributes: { 'aria-label': 'Header of the file' } },
      element('h2', {}, 'Header of the file'),
      this.hidden,
      this.reveal,
      body,
      close,
    );
    this.reveal.addEventListener('click', () => ask(true));
    close.addEventListener('click', () => this.root.close());
    // What was revealed does not stay in the page.
    this.root.addEventListener('close', () => this.lines.replaceChildren());
  }

  open({ lines, withheld }: HeaderView): void {
    this.hidden.textContent = hiddenText(withheld);
    this.hidden.hidden = withheld === 0;
    this.reveal.hidden = withheld === 0;
    this.lines.replaceChildren(
      ...lines.map(({ name, value }) =>
        element('tr', {}, element('th', { scope: 'row' }, name), element('td', {}, value ?? 'hidden')),
      ),
    );
    if (!this.root.open) this.root.showModal();
  }
}

function hiddenText(withheld: number): string {
  const because = 'may name a patient, a place or a day.';
  return withheld === 1 ? `1 value is hidden: it ${because}` : `${withheld} values are hidden: they ${because}`;
}
