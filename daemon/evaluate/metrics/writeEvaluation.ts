import { join } from 'node:path';
import { stringify } from 'csv-stringify/sync';
import type { Evaluation } from '../../../protocol/evaluation/evaluation.ts';
import { segmentationMetrics } from '../../../protocol/evaluation/segmentation.ts';
import { writeTextAtomically } from '../../files/atomic.ts';
import { requireFolder } from '../../files/folder.ts';

/** Names of the files in an evaluation's folder. */
export const evaluationFiles = {
  json: 'evaluation.json',
  cases: 'cases.csv',
  classes: 'classes.csv',
  report: 'report.html',
} as const;

/**
 * Writes `evaluation.json`, `cases.csv` (a row a case and class, or a case) and `classes.csv` (a row a class).
 * @throws UnimissError 'disk' where the folder cannot be written
 */
export async function writeEvaluation(folder: string, evaluation: Evaluation): Promise<void> {
  await requireFolder(folder);
  await writeTextAtomically(join(folder, evaluationFiles.cases), casesCsv(evaluation));
  await writeTextAtomically(join(folder, evaluationFiles.classes), classesCsv(evaluation));
  await writeTextAtomically(join(folder, evaluationFiles.json), `${JSON.stringify(evaluation, null, 1)}\n`);
}

/** Text that a spreadsheet would take for a formula gets a quote before it. */
const csv = (rows: (string | number | null)[][]) => stringify(rows, { escape_formulas: true });

export function casesCsv(evaluation: Evaluation): string {
  if (evaluation.problem === 'segmentation') {
    const head = [
      'case',
      'patient',
      'class',
      'status',
      ...segmentationMetrics,
      'referenceVoxels',
      'predictedVoxels',
      'lesions',
      'lesionsPredicted',
      'lesionsFound',
      'lesionsExtra',
    ];
    return csv([
      head,
      ...evaluation.cases.flatMap((one) =>
        one.classes.map((c) => [
          one.case,
          one.patient,
          c.class,
          c.status,
          ...segmentationMetrics.map((metric) => c[metric]),
          c.referenceVoxels,
          c.predictedVoxels,
          c.lesions?.reference ?? null,
          c.lesions?.predicted ?? null,
          c.lesions?.found ?? null,
          c.lesions?.extra ?? null,
        ]),
      ),
    ]);
  }
  const names = evaluation.classes.map((c) => c.class);
  const named = (indices: readonly number[]) => indices.map((c) => names[c]).join(';');
  return csv([
    ['case', 'patient', 'reference', 'predicted', ...names.map((name) => `p(${name})`)],
    ...evaluation.cases.map((one) => [
      one.case,
      one.patient,
      named(one.reference),
      named(one.predicted),
      ...one.probabilities,
    ]),
  ]);
}

export function classesCsv(evaluation: Evaluation): string {
  if (evaluation.problem === 'segmentation') {
    const parts = ['mean', 'low', 'high', 'count', 'meanOverOk', 'countOk', 'median'] as const;
    return csv([
      [
        'class',
        'ok',
        'bothEmpty',
        'missed',
        'falsePositive',
        ...segmentationMetrics.flatMap((metric) => parts.map((part) => `${metric}.${part}`)),
      ],
      ...evaluation.classes.map(({ class: name, statuses, metrics }) => [
        name,
        statuses.ok,
        statuses['both-empty'],
        statuses.missed,
        statuses['false-positive'],
        ...segmentationMetrics.flatMap((metric) => {
          const own = metrics[metric];
          return parts.map((part) => (part === 'low' || part === 'high' ? own?.interval?.[part] : own?.[part]) ?? null);
        }),
      ]),
    ]);
  }
  const parts = ['auc', 'averagePrecision', 'f1', 'recall', 'sensitivity', 'specificity'] as const;
  return csv([
    ['class', 'positives', 'negatives', 'threshold', ...parts.flatMap((part) => [part, `${part}.low`, `${part}.high`])],
    ...evaluation.classes.map((one) => [
      one.class,
      one.positives,
      one.negatives,
      one.threshold,
      ...parts.flatMap((part) => [one[part].value, one[part].interval?.low ?? null, one[part].interval?.high ?? null]),
    ]),
  ]);
}
