import { formatPosition } from './axes.ts';
import { digitsOf, type SeriesInfo } from './catalog.ts';
import type { ChartContent } from './chartContent.ts';
import { type Curve, nearestRecorded } from './curve.ts';
import { atEnds, type CurveAt, intervalText, nameOf, severalRuns, spreadText } from './curveNames.ts';
import { formatNumber } from './format.ts';

/** What a chart says in words: at the cursor (a place along the axis), or where there is none (null), its latest values. */
export class ChartReading {
  constructor(
    private readonly info: SeriesInfo,
    private readonly content: ChartContent,
    private readonly cursor: number | null,
  ) {}

  /** The values of the only run, or of the emphasised one of several; empty where several runs have one each. */
  headline(): string {
    const { curves } = this.content;
    const several = severalRuns(curves);
    const emphasised = several && curves.some(({ faded }) => faded);
    const ofFirst = several && !emphasised ? [] : curves.filter(({ faded }) => !faded);
    const digits = digitsOf(this.info);
    const found = ofFirst.map((curve): CurveAt => ({ curve, row: this.rowOf(curve) }));
    const values = found.map(({ curve, row }) => {
      const value = formatNumber(curve.line[row], found.length > 1 ? Math.min(3, digits) : digits);
      if (found.length > 1 && curve.modality) return `${curve.modality} ${value}`;
      const interval = this.info.interval ? intervalText({ curve, row }) : '';
      return interval === '' ? value : `${value} (${interval})`;
    });
    const shown = this.info.members ? spreadText(found) : values.join(' · ');
    return shown !== '' ? shown : several ? '' : '–';
  }

  /** Place and values at the cursor; undefined: there is none. */
  atCursor() {
    const { content, cursor } = this;
    if (cursor === null) return undefined;
    const digits = digitsOf(this.info);
    const all = content.curves.map((curve): CurveAt => ({ curve, row: this.rowOf(curve) }));
    const found = this.info.members ? atEnds(all) : all;
    const several = severalRuns(content.curves);
    const rows = found.map(({ curve, row }) => {
      const interval = this.info.interval ? intervalText({ curve, row }) : '';
      const recorded = `recorded ${formatNumber(curve.raw[row], digits)}`;
      return {
        ...{ color: curve.color, dash: curve.dash },
        name: nameOf(curve, several, this.info.modality === 'each'),
        value: formatNumber(curve.line[row], digits),
        exact: curve.line !== curve.raw ? recorded : interval === '' ? '' : `95 %: ${interval}`,
      };
    });
    // Place, phase and value are those of one row: near a border of phases, the cursor's place would name the other phase.
    const first = found.find(({ row }) => row >= 0);
    const at = first?.curve.x[first.row] ?? cursor;
    const place = formatPosition(content.axis, content.axis === 'step' ? Math.round(at) : at);
    const phase = first?.curve.modality ?? content.phases.find((s) => at >= s.from && at < s.to)?.phase;
    return { place: phase ? `${place} · ${phase}` : place, rows };
  }

  /** Place and values at the cursor, for a screen reader. */
  spoken(): string {
    const shown = this.atCursor();
    if (!shown) return '';
    const { place, rows } = shown;
    const several = rows.length > 1;
    const values = rows
      .filter(({ value }) => value !== '–')
      .map(({ name, value }) => (several ? `${name}: ${value}` : value));
    return `${place}: ${values.join(', ') || 'no value'}`;
  }

  /** The row of a curve at the cursor, or its latest one; −1 where there is none. A shown value is at most a hundredth of the range away. */
  private rowOf(curve: Curve): number {
    const [from, to] = this.content.range;
    return this.cursor === null ? curve.line.length - 1 : nearestRecorded(curve, this.cursor, (to - from) / 100);
  }
}
