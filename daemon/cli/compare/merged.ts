import { isObject } from '../../../protocol/json.ts';

/** Objects are merged at any depth; everything else is replaced. */
export function merged(base: unknown, change: unknown): unknown {
  if (!isObject(base) || !isObject(change)) return change === undefined ? base : change;
  const keys = new Set([...Object.keys(base), ...Object.keys(change)]);
  return Object.fromEntries(
    [...keys].map((key) => [key, Object.hasOwn(change, key) ? merged(base[key], change[key]) : base[key]]),
  );
}
