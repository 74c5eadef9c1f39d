import '@vscode-elements/elements/dist/vscode-button/index.js';
import type { VscodeButton } from '@vscode-elements/elements/dist/vscode-button/index.js';
import { forEditor } from '../../protocol/editorWords.ts';
import type { MetricsEvent, MetricsHost } from '../../protocol/metrics/page.ts';
import { element, setText } from '../shared/dom.ts';
import { formatCount } from './format.ts';
import type { Run } from './store.ts';
import { stepsText, type WarningGroup, warningsOf } from './warningGroups.ts';

/** Largest number of entries; the list of events has all. */
const most = 5;
/** Largest number of unreadable images that are listed. */
const mostFiles = 50;

/** What the user does with warnings. */
export interface WarningActions {
  /** Zooms the curves to a step. */
  reveal(run: Run, step: number): void;
  /** Hides warnings, by their keys, or shows all again (null). */
  dismiss(keys: readonly string[] | null): void;
  readonly host: MetricsHost | undefined;
}

/**
 * Warnings of collapse, other warnings and errors in one line, which unfolds: newest first, each with its advice and buttons: to see it
 * in the curves, to do what it advises, to dismiss it.
 */
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

  constructor(private readonly actions: WarningActions) {
    this.line.firstElementChild?.setAttribute('aria-hidden', 'true');
    this.root.append(element('details', {}, this.line, this.list));
  }

  show(runs: readonly Run[], dismissed: readonly string[]): void {
    const all = runs
      .flatMap(warningsOf)
      .sort((a, b) => Number(a.resolved !== undefined) - Number(b.resolved !== undefined) || b.last.step - a.last.step);
    const entries = all.filter(({ key }) => !dismissed.includes(key));
    const hidden = all.length - entries.length;
    const key = JSON.stringify([entries.map((e) => [e.key, e.last.message, e.resolved, e.run.state]), hidden]);
    if (key === this.shown) return;
    this.shown = key;
    const [newest] = entries;
    this.root.hidden = all.length === 0;
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
        hidden === 0 ? '' : entries.length > 0 ? `${hidden} dismissed` : counted(hidden, 'dismissed warning'),
      ]
        .filter(Boolean)
        .join(', '),
    );
    setText(this.newest, newest ? [newest.text, newest.resolved].filter(Boolean).join(' ') : '');
    const more = entries.length - most;
    this.list.replaceChildren(
      ...entries.slice(0, most).map((e) => this.entry(e, runs.length > 1)),
      ...(more > 0 ? [element('p', { className: 'note' }, `${more} more are listed under Events.`)] : []),
      ...(hidden > 0 ? [button('Show Dismissed Warnings', () => this.actions.dismiss(null))] : []),
    );
  }

  private entry(group: WarningGroup, named: boolean): HTMLElement {
    const { run, events, last, text, advice, resolved, key } = group;
    const [first] = events;
    const { host, dismiss, reveal } = this.actions;
    const words = host ? forEditor : (plain: string) => plain;
    const broken = first.event === 'broken';
    const when = [
      ...(named ? [run.name] : []),
      ...(broken ? [] : [stepsText(group)]),
      ...(resolved === undefined ? [] : [resolved]),
    ];
    const files = broken && events.length > 1;
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
        element('strong', {}, capitalised(words(text))),
        advice ? element('p', {}, words(advice)) : null,
        when.length > 0 ? element('p', { className: 'note' }, when.join(' · ')) : null,
        files ? this.files(run, events) : null,
      ),
      element(
        'div',
        { className: 'warning-actions' },
        // A sign of the curves is looked at in them; nothing there shows a broken file.
        broken ? null : button('Show in Curves', () => reveal(run, first.step)),
        ...(host && broken && !files ? [openButton(host, run, first)] : []),
        // The advice about every sign of collapse, and about a loss that is not finite, names the learning rate.
        host && (first.event === 'sign' || last.code === 'diverged') && resolved === undefined
          ? button('New Run with Lower Learning Rate', () => host.act(run.id, 'lowerRate'))
          : null,
        host && resumes(group) ? button('Resume', () => host.act(run.id, 'resume')) : null,
        host && last.kind === 'error' ? button('Show Log', () => host.act(run.id, 'showLog')) : null,
        button('Dismiss', () => dismiss([key])),
      ),
    );
  }

  /** The images that cannot be read, each with its reason. */
  private files(run: Run, events: readonly MetricsEvent[]): HTMLElement {
    const { host } = this.actions;
    const more = events.length - mostFiles;
    return element(
      'details',
      { className: 'broken-files' },
      element('summary', {}, `Show the ${formatCount(events.length)} images`),
      element(
        'ul',
        {},
        ...events
          .slice(0, mostFiles)
          .map((event) =>
            element('li', {}, element('span', {}, event.message), host ? openButton(host, run, event) : null),
          ),
      ),
      more > 0 ? element('p', { className: 'note' }, `${formatCount(more)} more are listed under Events.`) : null,
    );
  }
}

/** Whether it ended a run that resuming continues: its process died, or the disk was full. */
function resumes({ run, last, resolved }: WarningGroup): boolean {
  if (resolved !== undefined || last.event === 'sign' || last.event === 'broken') return false;
  return run.state === 'interrupted' || (run.state === 'failed' && last.code === 'disk');
}

/** Shows the file of an event, if the event names it. */
function openButton(host: MetricsHost, run: Run, { file }: MetricsEvent): HTMLElement | null {
  return file === undefined ? null : button('Show File', () => host.openImage(run.id, file));
}

function button(text: string, click: () => void): VscodeButton {
  const made = document.createElement('vscode-button') as VscodeButton;
  made.secondary = true;
  made.textContent = text;
  made.addEventListener('click', click);
  return made;
}

/** The texts of errors begin with their place or in the middle of a sentence. */
function capitalised(text: string): string {
  return /^[a-z]+ /.test(text) ? `${text.charAt(0).toUpperCase()}${text.slice(1)}` : text;
}

/** `1 warning`, `3 warnings`; empty for none. */
function counted(count: number, word: string): string {
  return count === 0 ? '' : `${count} ${word}${count === 1 ? '' : 's'}`;
}
