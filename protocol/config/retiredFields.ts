import { isObject } from '../json.ts';

/** A field that is ignored. */
export interface RetiredField {
  /** Keys that lead to it. */
  readonly path: readonly string[];
  /** What is ignored and what to use instead. */
  readonly message: string;
}

/**
 * Removes fields of earlier versions from a parsed configuration, so that old files and runs still open.
 * @returns the fields that are ignored; none for a field that was null
 */
export function removeRetired(config: unknown): RetiredField[] {
  const engine = isObject(config) ? config.engine : undefined;
  if (!isObject(engine) || !Object.hasOwn(engine, 'library')) return [];
  const { library } = engine;
  delete engine.library;
  // A file from someone else must not decide which native code is loaded.
  if (library === null) return [];
  return [
    {
      path: ['engine', 'library'],
      message:
        '`engine.library` is ignored: a configuration cannot choose the TensorFlow to load. Set UNIMISS_TENSORFLOW to its folder, or the setting `unimiss.tensorflowFolder` in the editor.',
    },
  ];
}
