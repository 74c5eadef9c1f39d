import { element } from './dom.ts';
import { formatCount } from './format.ts';
import type { Run } from './store.ts';

const longest = 200;

/** Everything that happened, newest first: starts, checkpoints, pauses, warnings. */
export class EventList {
  readonly root = element('ol', { className: 'events', reversed: true });
  private shown = '';

  show(runs: readonly Run[]): void {
    const events = runs
      .flatMap((run) => run.events.map((event) => ({ run, event })))
      .sort((a, b) => (b.event.time ?? 0) - (a.event.time ?? 0) || b.event.step - a.event.step)
      .slice(0, longest);
    const key = `${runs.map((r) => r.id).join(' ')} ${events.length} ${events[0]?.event.time} ${events[0]?.event.step}`;
    if (key === this.shown) return;
    this.shown = key;
    if (events.length === 0) {
      this.root.replaceChildren(element('li', { className: 'empty' }, 'No events.'));
      return;
    }
    this.root.replaceChildren(
      ...events.map(({ run, event }) =>
        element(
          'li',
          { className: `event-${event.kind}` },
          element('time', {}, event.time === undefined ? '' : new Date(event.time).toLocaleString('en-GB')),
          element('span', { className: 'note' }, `step ${formatCount(event.step)}`),
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
