/** Tells a list from one of its elements: `Array.isArray` does not narrow lists that are read-only. */
export function isList<T>(input: T | readonly T[]): input is readonly T[] {
  return Array.isArray(input);
}
