/** The class of the body while the page is printed. */
export const printingClass = 'um-printing';

/** What changes for a print. */
export interface Printed {
  /** Draws everything at once, also what is out of sight. `onPaper`: what a reader of paper asks for first comes first. */
  drawAll(onPaper: boolean): void;
}

/**
 * Prepares a page for paper, and puts it back afterwards: light colours, everything unfolded and drawn, as wide as the paper. A
 * print does not wait, so that all of it happens within the event.
 */
export function printWhole(root: HTMLElement, printed: Printed): void {
  let restore = () => {};
  window.addEventListener('beforeprint', () => {
    const { className } = document.body;
    const closed = [...root.querySelectorAll('details')].filter((details) => !details.open);
    document.body.className = `um-standalone vscode-light ${printingClass}`;
    for (const details of closed) details.open = true;
    printed.drawAll(true);
    restore = () => {
      document.body.className = className;
      for (const details of closed) details.open = false;
      printed.drawAll(false);
    };
  });
  window.addEventListener('afterprint', () => restore());
}
