import {
  segmentationMetricNames as names,
  type SegmentationEvaluation,
  type SegmentationMetric,
  type SegmentedCase,
  segmentationMetrics,
} from '../../../../protocol/evaluation/segmentation.ts';
import { html, type Markup } from '../markup.ts';
import { type BoxRow, boxPlots } from './charts.ts';
import { type Column, numberCell, tableOf } from './numbers.ts';

const text = (name: string): Column => ({ name, numeric: false });
const number = (name: string): Column => ({ name, numeric: true });
/** More rows than this are in cases.csv only. */
const mostRows = 3000;

export function segmentationSections(evaluation: SegmentationEvaluation): Markup {
  const shown = segmentationMetrics.filter((metric) => evaluation.summary.metrics[metric]);
  return html`<h2 id="classes">Per class</h2>
${classTable(evaluation, shown)}
<p class="note">Below a mean stands its 95 % interval. “Over ok” is the mean of the cases in which both prediction and reference have the class.</p>
<div class="charts">${boxes(evaluation)}</div>
<h2 id="cases">Per case</h2>
${caseTable(evaluation)}
${caseDetails(evaluation, shown)}`;
}

function classTable(
  { classes, summary, toleranceMm }: SegmentationEvaluation,
  shown: readonly SegmentationMetric[],
): Markup {
  const columns = [
    text('Class'),
    ...shown.flatMap((metric) => {
      const name = metric === 'surfaceDice' ? `Surface Dice (${toleranceMm} mm)` : names[metric];
      return metric === 'hd95' || metric === 'assd' || metric === 'dice'
        ? [number(name), number(`${name}, over ok`)]
        : [number(name)];
    }),
    ...['ok', 'missed', 'false-positive', 'both-empty'].map(number),
  ];
  const row = (name: string, { metrics, statuses }: Pick<SegmentationEvaluation['summary'], 'metrics' | 'statuses'>) =>
    html`<tr><th scope="row">${name}</th>${shown.flatMap((metric) => {
      const own = metrics[metric];
      const cell = numberCell(own?.mean, own?.interval);
      return metric === 'hd95' || metric === 'assd' || metric === 'dice' ? [cell, numberCell(own?.meanOverOk)] : [cell];
    })}${[statuses.ok, statuses.missed, statuses['false-positive'], statuses['both-empty']].map(count)}</tr>
`;
  return tableOf(
    'Means over cases, by class; in the last row the means of the classes’ means.',
    columns,
    classes.map((one) => row(one.class, one)),
    true,
    row('All classes', summary),
  );
}

/** The end of an axis: the least number that is not below a value and whose quarters are short. */
export function roundAbove(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8].find((step) => step * power >= value * (1 - 1e-9)) ?? 10);
}

const count = (n: number) => html`<td class="number" data-value="${n}">${n}</td>`;

function boxes({ classes, cases }: SegmentationEvaluation): Markup {
  const rows = (metric: 'dice' | 'hd95'): BoxRow[] =>
    classes.flatMap((one) => {
      const own = one.metrics[metric];
      return own ? [{ name: one.class, ...own }] : [];
    });
  const charts = [rows('dice'), rows('hd95')] as const;
  if (charts[0].length === 0) return html`<p>No class has a value in any of the ${cases.length} cases.</p>`;
  const highest = roundAbove(Math.max(1e-9, ...charts[1].map((row) => row.maximum)));
  return html`${boxPlots('box-dice', 'Dice over cases', 'Dice', charts[0], 1)}${charts[1].length > 0 ? boxPlots('box-hd95', 'HD95 over cases', 'mm', charts[1], highest) : html``}`;
}

function caseTable({ cases }: SegmentationEvaluation): Markup {
  const columns = [
    text('Case'),
    text('Patient'),
    number('Mean Dice'),
    text('Worst class'),
    number('Its Dice'),
    number('ok'),
    number('missed'),
    number('false-positive'),
  ];
  const rows = cases.map((one) => {
    const worst = worstClass(one);
    const withStatus = (status: string) => count(one.classes.filter((c) => c.status === status).length);
    return html`<tr><th scope="row" data-case="${one.case}">${one.case}</th><td>${one.patient}</td>${numberCell(one.dice)}<td>${worst?.class ?? '–'}</td>${numberCell(worst?.dice)}${['ok', 'missed', 'false-positive'].map(withStatus)}</tr>
`;
  });
  return tableOf('Each case, over its classes.', columns, rows);
}

function worstClass({ classes }: SegmentedCase) {
  return classes.filter((c) => c.dice !== null).sort((a, b) => (a.dice ?? 0) - (b.dice ?? 0))[0];
}

function caseDetails({ cases }: SegmentationEvaluation, shown: readonly SegmentationMetric[]): Markup {
  const rows = cases.reduce((sum, one) => sum + one.classes.filter((c) => c.status !== 'both-empty').length, 0);
  if (rows > mostRows)
    return html`<p class="note">The ${rows} numbers of each class in each case are in cases.csv.</p>`;
  const columns = [text('Class'), text('Status'), ...shown.map((metric) => number(names[metric]))];
  return html`<h3 class="onScreen">Each class in each case</h3>
${cases.map(
  (one) => html`<details class="onScreen"><summary>${one.case}</summary>
${tableOf(
  `Classes of ${one.case} that prediction or reference have.`,
  columns,
  one.classes
    .filter((c) => c.status !== 'both-empty')
    .map(
      (c) =>
        html`<tr><th scope="row">${c.class}</th><td>${c.status}</td>${shown.map((metric) => numberCell(c[metric]))}</tr>
`,
    ),
)}</details>
`,
)}`;
}
