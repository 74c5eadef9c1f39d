import { element } from './dom.ts';

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
      if (this.root.open === was) return;
      was = this.root.open;
      toggled(was);
    });
  }
}
