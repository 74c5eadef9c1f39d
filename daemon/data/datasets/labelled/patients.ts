import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UnimissError } from '../../../../protocol/errors.ts';
import { splitOf } from './layouts/draft.ts';
import { readTable } from './readTable.ts';
import type { Finding, LabelledCase } from './types.ts';

/** Names of the table that says who the cases are of. */
export const patientFiles = ['patients.csv', 'patients.tsv'] as const;

/**
 * Applies `patients.csv` (columns `case`, `patient`, optionally `split`) in a data set's folder, for layouts that know no
 * patients. Cases that it does not name stay as they are.
 * @throws UnimissError('data') for a table without these columns
 */
export async function withPatients<C extends LabelledCase>(
  root: string,
  cases: readonly C[],
  findings: Finding[],
): Promise<readonly C[]> {
  const file = patientFiles.map((name) => join(root, name)).find((path) => existsSync(path));
  if (file === undefined) return cases;
  const { columns, rows } = await readTable(file);
  if (!columns.includes('case') || !columns.includes('patient'))
    throw new UnimissError('data', `has no columns “case” and “patient” (its columns: ${columns.join(', ')})`, {
      place: file,
      remedy: 'Write the first line as: case,patient',
    });
  const known = new Set(cases.map(({ id }) => id));
  const byCase = new Map<string, { patient: string; split: LabelledCase['split'] }>();
  for (const { line, cells } of rows) {
    const { case: id = '', patient = '', split = '' } = cells;
    const place = `${file}:${line}`;
    const error = (kind: Finding['kind'], what: string, remedy: string) =>
      findings.push({ severity: 'error', kind, place, what, remedy });
    const side = splitOf(split) ?? null;
    if (!known.has(id))
      error('missingFile', `names the case “${id}”, which does not exist`, 'Correct the name, or remove the line.');
    else if (byCase.has(id)) error('repeatedRow', `names the case “${id}” again`, 'Remove one of the two lines.');
    else if (patient === '') error('table', 'has no patient', 'Write one, or remove the line.');
    else if (split !== '' && side === null)
      error('table', `has the split “${split}”`, 'Write train, validation or test, or nothing.');
    else byCase.set(id, { patient, split: side });
  }
  return cases.map((one) => {
    const given = byCase.get(one.id);
    return given ? { ...one, patient: given.patient, split: given.split ?? one.split } : one;
  });
}
