import type { MetricsEvent } from '../../protocol/metrics/page.ts';
import { dateText } from '../../protocol/words.ts';
import { element, setText } from '../shared/dom.ts';
import { type EventFilter, eventFilters } from './eventFilter.ts';
import { formatCount } from './format.ts';
import type { Run } from './store.ts';
import { stepsDone } from './warningGroups.ts';

const longest = 200;

const titles: Record<EventFilter, string> = { important: 'Important', checkpoint: 'Checkpoints', preview: 'Previews' };

function filterOf({ event }: MetricsEvent): EventFilter {
  return event === 'checkpoint' || event === 'preview' ? event : 'important';
}

/** What happened, newest first, by kind; a line counts what is not shown. */
export class EventList {
  readonly root: HTMLElement;
  private readonly chips = new Map<EventFilter, HTMLButtonElement>();
  private readonly list = element('ol', {
    className: 'events',
    reversed: true,
    tabIndex: 0,
    attributes: { 'aria-label': 'Events, newest first' },
  });
  private readonly others = element('p', { className: 'note' });
  private shown = '';

  constructor(choose: (filters: EventFilter[]) => void) {
    const buttons = eventFilters.map((filter) => {
      const chip = element('button', { type: 'button', className: 'chip' }, titles[filter]);
      chip.addEventListener('click', () => {
        const on = eventFilters.filter((other) => this.chips.get(other)?.getAttribute('aria-pressed') === 'true');
        choose(on.includes(filter) ? on.filter((other) => other !== filter) : [...on, filter]);
      });
      this.chips.set(filter, chip);
      return chip;
    });
    this.root = element(
      'div',
      {},
      element(
        'div',
        { className: 'chips', attributes: { role: 'group', 'aria-label': 'Kinds of events' } },
        ...buttons,
      ),
      this.list,
      this.others,
    );
  }

  show(runs: readonly Run[], filters: readonly EventFilter[]): void {
    const all = runs.flatMap((run) => run.events.map((event) => ({ run, event })));
    for (const [filter, chip] of this.chips) {
      chip.setAttribute('aria-pressed', String(filters.includes(filter)));
      setText(chip, `${titles[filter]} (${formatCount(all.filter(({ event }) => filterOf(event) === filter).length)})`);
    }
    const events = all
      .filter(({ event }) => filters.includes(filterOf(event)))
      .sort((a, b) => (b.event.time ?? 0) - (a.event.time ?? 0) || b.event.step - a.event.step)
      .slice(0, longest);
    setText(this.others, notShown(all.map(({ event }) => event).filter((event) => !filters.includes(filterOf(event)))));
    const key = `${filters} ${runs.map((r) => r.id).join(' ')} ${events.length} ${events[0]?.event.time} ${events[0]?.event.step}`;
    if (key === this.shown) return;
    this.shown = key;
    if (events.length === 0) {
      const text = all.length === 0 ? 'No events yet.' : 'No events of this kind yet.';
      this.list.replaceChildren(element('li', { className: 'empty' }, text));
      return;
    }
    this.list.replaceChildren(
      ...events.map(({ run, event }) =>
        element(
          'li',
          { className: `event-${event.kind}` },
          event.time === undefined
            ? element('time')
            : element(
                'time',
                { dateTime: new Date(event.time).toISOString(), title: new Date(event.time).toISOString() },
                dateText(event.time),
              ),
          element('span', { className: 'note' }, `step ${formatCount(stepsDone(event))}`),
          element(
            'span',
            { className: 'event-text' },
            runs.length > 1 ? `${run.name}: ${event.message}` : event.message,
          ),
        ),
      ),
    );
  }
}

/** `200 checkpoints, newest at step 200; 50 previews, newest at step 196.` */
function notShown(events: readonly MetricsEvent[]): string {
  const parts = eventFilters.flatMap((filter) => {
    const own = events.filter((event) => filterOf(event) === filter);
    if (own.length === 0) return [];
    const word = filter === 'important' ? 'important event' : filter;
    const newest = own.reduce((most, event) => Math.max(most, stepsDone(event)), 0);
    return [`${formatCount(own.length)} ${word}${own.length === 1 ? '' : 's'}, newest at step ${formatCount(newest)}`];
  });
  return parts.length === 0 ? '' : `Not shown: ${parts.join('; ')}.`;
}
