import type { Finding, LabelledDataset } from '../types.ts';
import type { CaseMeasure } from './caseMeasure.ts';

/**
 * Images with the same decoded voxels, whatever their names and formats. Of one patient they only count twice; of two they are an error,
 * as one may be trained on and the other tested.
 */
export function duplicates({ cases }: LabelledDataset, measures: readonly CaseMeasure[]): Finding[] {
  const patientOf = new Map(cases.map(({ id, patient }) => [id, patient]));
  const first = new Map<string, { id: string; path: string }>();
  return measures.flatMap(({ id, files }): Finding[] => {
    const [file] = files;
    if (!file) return [];
    const { path, digest } = file;
    const before = first.get(digest);
    if (!before) {
      first.set(digest, { id, path });
      return [];
    }
    const samePatient = patientOf.get(before.id) === patientOf.get(id);
    return [
      {
        severity: samePatient ? 'warning' : 'error',
        kind: 'duplicate',
        place: path,
        what: `has the same voxels as ${before.path}`,
        remedy: samePatient
          ? 'Remove one of the two.'
          : 'Remove one of the two, or say in patients.csv (or the column `patient`) that they are of one patient.',
      },
    ];
  });
}
