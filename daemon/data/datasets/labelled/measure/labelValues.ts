import { UnimissError } from '../../../../../protocol/errors.ts';
import { background } from '../layouts/draft.ts';
import { brokenFile } from '../layouts/findings.ts';
import type { Finding, LabelClass, SegmentationCase } from '../types.ts';
import { inThreads, type ThreadOptions } from './inThreads.ts';

/** More values than this are an image rather than labels. */
const mostValues = 256;

/**
 * Reads all label maps of a data set that does not name its values. Names in the files themselves are used, such as those of a DICOM
 * segmentation. Maps that cannot be read are findings, and so are those that call a value otherwise than the first does.
 */
export async function findLabelValues(
  cases: readonly SegmentationCase[],
  findings: Finding[],
  options: ThreadOptions = {},
): Promise<readonly LabelClass[]> {
  const maps = cases.flatMap(({ id, label }) => (label?.kind === 'map' ? [{ id, path: label.path }] : []));
  const results = await inThreads(
    maps.map(({ path }) => ({ kind: 'values', path })),
    options,
  );
  const values = new Set<number>();
  const names = new Map<number, { readonly name: string; readonly path: string }>();
  for (const [i, result] of results.entries()) {
    const { id, path } = maps[i]!;
    if (result instanceof UnimissError) findings.push(brokenFile(path, result, id));
    else if (result.kind === 'values') {
      if (result.values.length > mostValues)
        findings.push({
          severity: 'error',
          kind: 'unknownValue',
          place: path,
          what: `has ${result.values.length} different values: it is an image rather than labels`,
          remedy: 'Replace it, or name the values that count in labels.json.',
          case: id,
        });
      else
        for (const value of result.values) {
          values.add(value);
          const name = result.names.get(value);
          const before = names.get(value);
          if (name !== undefined && before === undefined) names.set(value, { name, path });
          if (name === undefined || before === undefined || name === before.name) continue;
          findings.push({
            severity: 'error',
            kind: 'unknownValue',
            place: path,
            what: `calls its label ${value} “${name}”, which is “${before.name}” in ${before.path}`,
            remedy: 'Number the labels alike in all files.',
            case: id,
          });
        }
    }
  }
  values.delete(0);
  const sorted = [...values].sort((a, b) => a - b);
  const nameOf = (value: number) => names.get(value)?.name ?? (sorted.length === 1 ? 'foreground' : `label ${value}`);
  return [background, ...sorted.map((value) => ({ name: nameOf(value), values: [value] }))];
}
