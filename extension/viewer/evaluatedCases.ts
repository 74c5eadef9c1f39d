import { readFile } from 'node:fs/promises';
import { posix } from 'node:path';
import { type ViewableCase, viewableCases, viewableCasesFile } from '../../protocol/evaluation/viewableCases.ts';
import { addressOf, parseAddress } from '../../protocol/machines/address.ts';

/**
 * The cases of an evaluation, the worst first; none where the file beside the report is missing or is none of ours. Paths that lie on
 * another machine than the report are left out: the file may come from someone else, and to open such a path already tells that machine
 * something.
 * @param report absolute path of its report, or its address on another machine; the cases then have addresses too
 * @param read the text of a file
 */
export async function casesOfReport(
  report: string,
  read: (file: string) => Promise<string> = (file) => readFile(file, 'utf8'),
): Promise<readonly ViewableCase[]> {
  const { machine, path: file } = parseAddress(report);
  const text = await read(addressOf(machine, posix.join(posix.dirname(file), viewableCasesFile))).catch(() => '');
  const checked = viewableCases.safeParse(jsonOf(text));
  // Evaluations are made on Linux.
  const local = (path: string) => posix.isAbsolute(path) && !/^[\\/]{2}/.test(path);
  const cases = (checked.data?.cases ?? []).filter(({ image, labels }) =>
    [image, ...labels.flatMap(({ reference, prediction }) => [reference, prediction])].every(local),
  );
  const place = (path: string) => addressOf(machine, path);
  return cases
    .map((one) => ({
      ...one,
      image: place(one.image),
      labels: one.labels.map((labels) => ({
        ...labels,
        reference: place(labels.reference),
        prediction: place(labels.prediction),
      })),
    }))
    .toSorted((a, b) => (a.dice ?? Number.POSITIVE_INFINITY) - (b.dice ?? Number.POSITIVE_INFINITY));
}

/** undefined: no JSON, which is no list of cases either. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
