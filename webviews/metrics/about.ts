import { citation } from '../../protocol/metrics/citation.ts';
import { element } from '../shared/dom.ts';
import type { Run } from './store.ts';

/** What a report says of its runs beside curves: date, data, machine, version; the configuration; how to cite the method. */
export class About {
  readonly root = element('div', { className: 'about' });
  private shown = '';

  show(runs: readonly Run[]): void {
    const told = runs.filter(({ about }) => about && about.length > 0);
    this.root.hidden = told.length === 0;
    const key = JSON.stringify(told.map(({ id, name, about, settings }) => [id, name, about, settings]));
    if (key === this.shown) return;
    this.shown = key;
    this.root.replaceChildren(
      ...told.flatMap((run) => [
        ...(told.length > 1 ? [element('h3', {}, run.name)] : []),
        element(
          'dl',
          { className: 'facts' },
          ...(run.about ?? []).flatMap(({ label, value, note }) => [
            element('dt', {}, label),
            element('dd', {}, value, note ? element('span', { className: 'note' }, ` ${note}`) : null),
          ]),
        ),
      ]),
      element('p', {}, 'For research only, not for clinical use.'),
      element('p', { className: 'note' }, `Method: ${citation}`),
    );
  }
}

/** The configuration of each run, by field. */
export class Configuration {
  readonly root = element('div', { className: 'configuration' });
  private shown = '';

  show(runs: readonly Run[]): void {
    const told = runs.filter(({ settings, about }) => settings && about);
    this.root.hidden = told.length === 0;
    const key = JSON.stringify(told.map(({ id, settings }) => [id, settings]));
    if (key === this.shown) return;
    this.shown = key;
    const keys = [...new Set(told.flatMap(({ settings }) => Object.keys(settings ?? {})))];
    const head = told.length > 1 ? told.map(({ name }) => name) : ['Value'];
    this.root.replaceChildren(
      element(
        'table',
        {},
        element(
          'thead',
          {},
          element('tr', {}, ...['Field', ...head].map((text) => element('th', { scope: 'col' }, text))),
        ),
        element(
          'tbody',
          {},
          ...keys.map((field) =>
            element(
              'tr',
              {},
              element('th', { scope: 'row' }, field),
              ...told.map(({ settings }) => element('td', {}, settings?.[field] ?? '–')),
            ),
          ),
        ),
      ),
    );
  }
}
