import type { ShownCase } from '../../protocol/viewer/page.ts';
import { element, setText } from '../shared/dom.ts';

/** Which case of an evaluation is shown, and the way to the next worse one. */
export class CaseBar {
  readonly root: HTMLElement;
  private readonly text = element('p', { attributes: { 'aria-live': 'polite' } });
  private readonly before = element('button', { type: 'button', title: 'The case before (B)' }, 'Worse Case');
  private readonly next = element('button', { type: 'button', title: 'The next case (N)' }, 'Next Worst Case');

  constructor(step: (by: 1 | -1) => void) {
    const attributes = { 'aria-label': 'Case of the evaluation' };
    this.root = element('section', { className: 'case', hidden: true, attributes }, this.text, this.before, this.next);
    this.before.addEventListener('click', () => step(-1));
    this.next.addEventListener('click', () => step(1));
  }

  show({ name, title, dice, rank, count, compared }: ShownCase): void {
    this.root.hidden = false;
    this.before.disabled = rank === 1;
    this.next.disabled = rank === count;
    const errors = compared ? `${compared.errors} wrong pixels in this slice` : 'No errors to show';
    const score = dice === null ? 'no Dice' : `mean Dice ${dice.toFixed(3)}`;
    setText(
      this.text,
      `${name}: ${score}, ${rank === 1 ? 'the worst' : `number ${rank} from the worst`} of ${count} (${title}). ${errors}.`,
    );
  }
}
