import type { ErrorData } from '../../protocol/daemon/wireError.ts';
import { element } from '../shared/dom.ts';

/** What is worth knowing about the image, and what went wrong; each once. */
export class Notices {
  readonly root = element('div', { className: 'notices', attributes: { role: 'alert' } });

  note(text: string): void {
    this.tell('note', text);
  }

  /** @param title what cannot be done */
  fail(title: string, { what, remedy }: Pick<ErrorData, 'what' | 'remedy'>): void {
    this.tell('error', `${title}: ${what}.${remedy ? ` ${remedy}` : ''}`);
  }

  private tell(kind: string, text: string): void {
    const told = [...this.root.children].some(({ textContent }) => textContent === text);
    if (!told) this.root.append(element('p', { className: kind }, text));
  }
}
