import { parse } from 'jsonc-parser';
import { isObject } from '../json.ts';
import { setField } from './makeConfig.ts';

/** Fields of all kinds of configurations that hold paths. */
const pathFields = [
  ['data', 'paths'],
  ['data', 'manifest'],
  ['data', 'path'],
  ['data', 'split'],
  ['data', 'cache'],
  ['start', 'from'],
  ['train', 'initialWeights'],
  ['probe', 'data'],
];

/**
 * The text of a run's configuration, for a file at any place: relative paths in it, which start at the folder of the file that it
 * was given in, become those of the resolved configuration. Comments stay.
 * @param text as it was given
 * @param resolved the same configuration with absolute paths
 */
export function withAbsolutePaths(text: string, resolved: unknown): string {
  const given: unknown = parse(text);
  return pathFields.reduce((own, field) => {
    const [before, now] = [valueAt(given, field), valueAt(resolved, field)];
    if (before === undefined || before === null || before === false || now === undefined) return own;
    return JSON.stringify(before) === JSON.stringify(now) ? own : setField(own, field, now);
  }, text);
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce((at, key) => (isObject(at) ? at[key] : undefined), value);
}
