import '@vscode-elements/elements/dist/vscode-button/index.js';
import type { VscodeButton } from '@vscode-elements/elements/dist/vscode-button/index.js';
import type { MetricsEvent } from '../../protocol/metrics/page.ts';
import { element, setText } from '../shared/dom.ts';
import { formatCount } from './format.ts';
import type { Run } from './store.ts';
import { type WarningGroup, warningsOf } from './warningGroups.ts';

/** Largest number of entries; the list of events has all. */
const most = 5;

/** Warnings of collapse, other warnings and errors in one line, which unfolds: newest first, each with its advice and a button that zooms to it. */
export class Warnings {
  readonly root = element('section', { className: 'warnings', attributes: { 'aria-label': 'Warnings' }, hidden: true });
  private readonly count = element('strong', { className: 'warnings-count' });
  private readonly newest = element('span', { className: 'warnings-newest' });
  private readonly line = element(
    'summary',
    { className: 'warnings-line' },
    element('span', { className: 'warning-icon' }, '!'),
    this.count,
    this.newest,
  );
  private readonly list = element('div', { className: 'warning-list' });
  private shown = '';

  constructor(private readonly reveal: (run: Run, step: number) => void) {
    this.line.firstElementChild?.setAttribute('aria-hidden', 'true');
    this.root.append(element('details', {}, this.line, this.list));
  }

  show(runs: readonly Run[]): void {
    const entries = runs
      .flatMap(warningsOf)
      .sort((a, b) => Number(a.resolved !== undefined) - Number(b.resolved !== undefined) || b.last.step - a.last.step);
    const key = JSON.stringify(entries.map((e) => [e.run.id, e.first.step, e.last.step, e.last.message, e.resolved]));
    if (key === this.shown) return;
    this.shown = key;
    const [newest] = entries;
    this.root.hidden = !newest;
    const open = entries.filter(({ resolved }) => resolved === undefined);
    const errors = open.filter(({ last }) => last.kind === 'error').length;
    this.root.classList.toggle('error', errors > 0);
    this.root.classList.toggle('resolved', open.length === 0);
    const done = entries.length - open.length;
    setText(
      this.count,
      [
        counted(errors, 'error'),
        counted(open.length - errors, 'warning'),
        done === 0 ? '' : open.length > 0 ? `${done} resolved` : counted(done, 'resolved warning'),
      ]
        .filter(Boolean)
        .join(', '),
    );
    setText(this.newest, newest ? [newest.last.message, newest.resolved].filter(Boolean).join(' ') : '');
    const more = entries.length - most;
    this.list.replaceChildren(
      ...entries.slice(0, most).map((e) => this.entry(e, runs.length > 1)),
      ...(more > 0 ? [element('p', { className: 'note' }, `${more} more are listed under Events.`)] : []),
    );
  }

  private entry({ run, first, last, count, resolved }: WarningGroup, named: boolean): HTMLElement {
    const step = formatCount(first.step);
    const when = [
      ...(named ? [run.name] : []),
      count === 1 ? `Step ${step}` : `Steps ${step} to ${formatCount(last.step)}, ${count} times`,
      ...(resolved === undefined ? [] : [resolved]),
    ];
    return element(
      'div',
      { className: `warning ${last.kind}${resolved === undefined ? '' : ' resolved'}` },
      element(
        'span',
        { className: 'warning-icon', attributes: { 'aria-hidden': 'true' } },
        resolved !== undefined ? '✓' : last.kind === 'error' ? '✕' : '!',
      ),
      element(
        'div',
        { className: 'warning-text' },
        element('strong', {}, last.message),
        last.advice ? element('p', {}, last.advice) : null,
        element('p', { className: 'note' }, when.join(' · ')),
      ),
      this.action(run, first),
    );
  }

  /** What one does about a warning: a sign of the curves is looked at in them; nothing there shows a broken file. */
  private action(run: Run, event: MetricsEvent): HTMLElement | null {
    if (event.event === 'broken') return null;
    const button = document.createElement('vscode-button') as VscodeButton;
    button.secondary = true;
    button.textContent = 'Show in curves';
    button.addEventListener('click', () => this.reveal(run, event.step));
    return button;
  }
}

/** `1 warning`, `3 warnings`; empty for none. */
function counted(count: number, word: string): string {
  return count === 0 ? '' : `${count} ${word}${count === 1 ? '' : 's'}`;
}
