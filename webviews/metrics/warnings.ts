import '@vscode-elements/elements/dist/vscode-button/index.js';
import type { VscodeButton } from '@vscode-elements/elements/dist/vscode-button/index.js';
import type { MetricsEvent } from '../../protocol/metrics/page.ts';
import { element, setText } from './dom.ts';
import { formatCount } from './format.ts';
import type { Run } from './store.ts';

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
      .flatMap((run) => grouped(run.events.filter((e) => e.kind !== 'info')).map((group) => ({ run, ...group })))
      .sort((a, b) => b.last.step - a.last.step);
    const key = JSON.stringify(entries.map((e) => [e.run.id, e.first.step, e.last.step, e.last.message]));
    if (key === this.shown) return;
    this.shown = key;
    const [newest] = entries;
    this.root.hidden = !newest;
    const errors = entries.filter(({ last }) => last.kind === 'error').length;
    this.root.classList.toggle('error', errors > 0);
    setText(
      this.count,
      [counted(errors, 'error'), counted(entries.length - errors, 'warning')].filter(Boolean).join(', '),
    );
    setText(this.newest, newest?.last.message ?? '');
    const more = entries.length - most;
    this.list.replaceChildren(
      ...entries.slice(0, most).map((e) => this.entry(e.run, e.first, e.last, e.count, runs.length > 1)),
      ...(more > 0 ? [element('p', { className: 'note' }, `${more} more are listed under Events.`)] : []),
    );
  }

  private entry(run: Run, first: MetricsEvent, last: MetricsEvent, count: number, named: boolean): HTMLElement {
    const button = document.createElement('vscode-button') as VscodeButton;
    button.secondary = true;
    button.textContent = 'Show in curves';
    button.addEventListener('click', () => this.reveal(run, first.step));
    const when =
      count === 1
        ? `Step ${formatCount(first.step)}`
        : `Steps ${formatCount(first.step)} to ${formatCount(last.step)}, ${count} times`;
    return element(
      'div',
      { className: `warning ${last.kind}` },
      element(
        'span',
        { className: 'warning-icon', attributes: { 'aria-hidden': 'true' } },
        last.kind === 'error' ? '✕' : '!',
      ),
      element(
        'div',
        { className: 'warning-text' },
        element('strong', {}, last.message),
        last.advice ? element('p', {}, last.advice) : null,
        element('p', { className: 'note' }, named ? `${run.name} · ${when}` : when),
      ),
      button,
    );
  }
}

/** `1 warning`, `3 warnings`; empty for none. */
function counted(count: number, word: string): string {
  return count === 0 ? '' : `${count} ${word}${count === 1 ? '' : 's'}`;
}

/** A warning that repeats every epoch is one entry. Numbers in its text may differ. */
function grouped(events: readonly MetricsEvent[]): { first: MetricsEvent; last: MetricsEvent; count: number }[] {
  const groups = new Map<string, { first: MetricsEvent; last: MetricsEvent; count: number }>();
  for (const event of events) {
    const key = `${event.kind} ${event.message.replace(/[\d.,]+/g, '#')}`;
    const group = groups.get(key);
    if (group) {
      group.last = event;
      group.count++;
    } else groups.set(key, { first: event, last: event, count: 1 });
  }
  return [...groups.values()];
}
