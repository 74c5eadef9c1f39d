import { dirname } from 'node:path';
import { getNodeValue } from 'jsonc-parser';
import { isObject } from '../../../protocol/json.ts';
import { type Analysis, valueAt } from './analysis.ts';
import { choicesOf, fieldAt, schemaOf } from './fields.ts';

/**
 * Where a value comes from that a run uses although the file does not give it, as a clause: the default, the fields that decide it,
 * or this machine. Fields that decide are found by trying: with another value there, the run would use another value here.
 */
export function originOf(analysis: Analysis, path: readonly (string | number)[], used: unknown): string {
  const schema = schemaOf(analysis.kind);
  if (same(fieldAt(schema, path)?.default, used)) return 'the default';
  const deciding = choicesOf(schema)
    .filter((choice) => !same(choice.path, path))
    .filter((choice) => choice.values.some((value) => usedWith(analysis, choice.path, value, path, used)))
    .map((choice) => `\`${choice.path.join('.')}\` (\`${JSON.stringify(valueAt(analysis.resolved, choice.path))}\`)`);
  return deciding.length > 0 ? `which follows from ${deciding.join(' and ')}` : 'which follows from this machine';
}

/** Whether a run would use another value at `path` if the file said `value` at `choice`. */
function usedWith(
  { tree, kind, file }: Analysis,
  choice: readonly string[],
  value: unknown,
  path: readonly (string | number)[],
  used: unknown,
): boolean {
  const given: unknown = tree && getNodeValue(tree);
  if (!isObject(given) || file === undefined) return false;
  const { success, data } = kind.schema.safeParse(withValue(given, choice, value));
  return success && !same(valueAt(kind.resolve(data, { baseDir: dirname(file) }), path), used);
}

/** The object with another value at a path of keys. */
function withValue(object: Record<string, unknown>, [key, ...rest]: readonly string[], value: unknown): object {
  if (key === undefined) return object;
  if (rest.length === 0) return { ...object, [key]: value };
  const inner = object[key];
  return { ...object, [key]: withValue(isObject(inner) ? inner : {}, rest, value) };
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
