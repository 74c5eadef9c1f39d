import { element } from '../shared/dom.ts';
import { printingClass } from './printing.ts';

/** A foldable part of the page. */
export class Section {
  readonly root: HTMLDetailsElement;

  constructor(
    title: string,
    readonly content: HTMLElement,
    open: boolean,
    toggled: (open: boolean) => void,
  ) {
    this.root = element(
      'details',
      { className: 'section', open },
      element('summary', {}, element('h2', {}, title)),
      content,
    );
    let was = open;
    this.root.addEventListener('toggle', () => {
      // A print unfolds everything for its duration.
      if (this.root.open === was || document.body.classList.contains(printingClass)) return;
      was = this.root.open;
      toggled(was);
    });
  }
}
