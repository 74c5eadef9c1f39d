import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { type ViewableCase, viewableCases, viewableCasesFile } from '../../protocol/evaluation/viewableCases.ts';

/**
 * The cases of an evaluation, the worst first; none where the file beside the report is missing or is none of ours. Paths that lie on another
 * machine are left out: the file may come from someone else, and to open such a path already tells that machine something.
 * @param report absolute path of its report
 */
export async function casesOfReport(report: string): Promise<readonly ViewableCase[]> {
  const text = await readFile(join(dirname(report), viewableCasesFile), 'utf8').catch(() => '');
  const checked = viewableCases.safeParse(jsonOf(text));
  const local = (path: string) => isAbsolute(path) && !/^[\\/]{2}/.test(path);
  const cases = (checked.data?.cases ?? []).filter(({ image, labels }) =>
    [image, ...labels.flatMap(({ reference, prediction }) => [reference, prediction])].every(local),
  );
  return cases.toSorted((a, b) => (a.dice ?? Number.POSITIVE_INFINITY) - (b.dice ?? Number.POSITIVE_INFINITY));
}

/** undefined: no JSON, which is no list of cases either. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
