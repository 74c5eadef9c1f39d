import {
  type ClassificationEvaluation,
  type ClassificationMetric,
  type ClassReport,
  classificationMetricNames as names,
} from '../../../../protocol/evaluation/classification.ts';
import { html, type Markup, nothing } from '../markup.ts';
import { type Curve, curveChart } from './charts.ts';
import { type Column, formatNumber, numberCell, tableOf } from './numbers.ts';

const text = (name: string): Column => ({ name, numeric: false });
const number = (name: string): Column => ({ name, numeric: true });
/** Curves that a chart can tell apart. */
const mostCurves = 6;

export function classificationSections(evaluation: ClassificationEvaluation): Markup {
  return html`<h2 id="all">All classes together</h2>
${wholeTable(evaluation)}
<h2 id="classes">Per class</h2>
${classTable(evaluation)}
<div class="charts">${charts(evaluation)}</div>
${confusionTable(evaluation)}
<h2 id="cases">Per case</h2>
${caseTable(evaluation)}`;
}

function wholeTable({ metrics }: ClassificationEvaluation): Markup {
  const rows = Object.entries(names).flatMap(([key, name]) => {
    const own = metrics[key as ClassificationMetric];
    return own
      ? [
          html`<tr><th scope="row">${name}</th>${numberCell(own.value, own.interval)}</tr>
`,
        ]
      : [];
  });
  return tableOf('Measures with their 95 % intervals.', [text('Measure'), number('Value')], rows, false);
}

function classTable({ classes, thresholds }: ClassificationEvaluation): Markup {
  const columns = [
    text('Class'),
    ...[
      'AUC',
      'Average precision',
      'F1',
      'Recall',
      'Threshold',
      'Sensitivity',
      'Specificity',
      'Positives',
      'Negatives',
    ].map(number),
  ];
  const rows = classes.map(
    (one) =>
      html`<tr><th scope="row">${one.class}</th>${[one.auc, one.averagePrecision, one.f1, one.recall].map((m) => numberCell(m.value, m.interval))}${numberCell(one.threshold)}${[one.sensitivity, one.specificity].map((m) => numberCell(m.value, m.interval))}${[one.positives, one.negatives].map((n) => html`<td class="number" data-value="${n}">${n}</td>`)}</tr>
`,
  );
  const from =
    thresholds === 'validation' ? 'chosen on the validation cases' : '0.5, as there were no validation cases';
  return tableOf(`Each class against the others. Thresholds of sensitivity and specificity: ${from}.`, columns, rows);
}

/** Of two exclusive classes one curve says all. More than six classes: those with the most cases. */
function shownClasses({ classes, exclusive }: ClassificationEvaluation): ClassReport[] {
  if (exclusive && classes.length === 2) return classes.slice(1);
  return classes.toSorted((a, b) => b.positives - a.positives).slice(0, mostCurves);
}

function charts(evaluation: ClassificationEvaluation): Markup {
  const shown = shownClasses(evaluation);
  const curves = (of: (one: ClassReport) => ClassReport['roc']): Curve[] =>
    shown.filter((one) => of(one).length > 0).map((one) => ({ name: one.class, points: of(one) }));
  const list = (of: (one: ClassReport) => number | null) =>
    shown.map((one) => `${one.class} ${formatNumber(of(one))}`).join(', ');
  const bins = evaluation.calibration.filter((bin) => bin.count > 0);
  return html`${curveChart({
    id: 'roc',
    title: 'ROC',
    description: `Sensitivity against false-positive rate as the threshold falls. Dashed: chance. AUC: ${list((one) => one.auc.value)}.`,
    x: '1 − specificity',
    y: 'Sensitivity',
    curves: curves((one) => one.roc),
    reference: [
      [0, 0],
      [1, 1],
    ],
  })}${curveChart({
    id: 'precision-recall',
    title: 'Precision and recall',
    description: `Precision against recall as the threshold falls. Average precision: ${list((one) => one.averagePrecision.value)}.`,
    x: 'Recall',
    y: 'Precision',
    curves: curves((one) => one.precisionRecall),
  })}${curveChart({
    id: 'calibration',
    title: 'Calibration',
    description: `Share that came true against stated probability. Dashed: perfect calibration. Expected calibration error ${formatNumber(evaluation.metrics.calibrationError?.value)}.`,
    x: 'Stated probability',
    y: 'Came true',
    curves: [{ name: 'calibration', points: bins.map((bin) => [bin.confidence ?? 0, bin.accuracy ?? 0]) }],
    reference: [
      [0, 0],
      [1, 1],
    ],
    dots: true,
  })}`;
}

function confusionTable({ confusion, classes }: ClassificationEvaluation): Markup {
  if (!confusion) return nothing;
  const rows = confusion.map(
    (row, i) =>
      html`<tr><th scope="row">${classes[i]?.class ?? ''}</th>${row.map((n) => html`<td class="number" data-value="${n}">${n}</td>`)}</tr>
`,
  );
  return html`<h2 id="confusion">Confusion matrix</h2>
${tableOf('Rows: reference. Columns: prediction. Numbers of cases.', [text('Reference'), ...classes.map((c) => number(c.class))], rows, false)}`;
}

function caseTable({ cases, classes }: ClassificationEvaluation): Markup {
  const named = (indices: readonly number[]) => indices.map((c) => classes[c]?.class ?? c).join(', ') || 'none';
  const rows = cases.map((one) => {
    const right =
      one.predicted.length === one.reference.length && one.predicted.every((c) => one.reference.includes(c));
    const confidence = Math.max(...one.probabilities);
    return html`<tr><th scope="row">${one.case}</th><td>${one.patient}</td><td>${named(one.reference)}</td><td>${named(one.predicted)}</td><td>${right ? 'right' : 'wrong'}</td>${numberCell(confidence)}</tr>
`;
  });
  const columns = [...['Case', 'Patient', 'Reference', 'Predicted', 'Result'].map(text), number('Highest probability')];
  return tableOf('Each case.', columns, rows);
}
