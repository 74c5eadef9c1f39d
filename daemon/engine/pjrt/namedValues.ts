import { bytesOf, slotsOf } from './api.ts';

/** PJRT_NamedValue_Type of values that fit into one slot. */
const [TEXT, INTEGER, BOOL] = [0, 1, 4];

/** Options of a plugin, by name. */
export type NamedValues = Readonly<Record<string, string | number | boolean>>;

/** Options as PJRT takes them: an array of PJRT_NamedValue. */
export interface NamedValueArray {
  readonly values: BigInt64Array;
  readonly count: number;
  /** Texts that the array points to: they must live as long. */
  readonly kept: readonly Uint8Array[];
}

/** Each is 56 bytes: size, extension, name, its length, type, value (or the address of a text), length of a text or 1. @param options numbers are integers */
export function namedValues(options: NamedValues): NamedValueArray {
  const kept: Uint8Array[] = [];
  const fields = Object.entries(options).flatMap(([key, value]) => {
    const name = bytesOf(key);
    kept.push(name);
    const head = [56, 0, name, name.length];
    if (typeof value === 'boolean') return [...head, BOOL, value ? 1 : 0, 1];
    if (typeof value === 'number') return [...head, INTEGER, value, 1];
    const text = bytesOf(value);
    kept.push(text);
    return [...head, TEXT, text, text.length];
  });
  return { values: slotsOf(fields), count: Object.keys(options).length, kept };
}
