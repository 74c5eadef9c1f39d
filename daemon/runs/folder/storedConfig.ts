import type { ResolvedConfig } from '../../../protocol/config/index.ts';
import { type ConfigKind, type ConfigSummary, kindNamed } from '../../../protocol/config/kind.ts';
import { parseConfig } from '../../../protocol/config/parseConfig.ts';
import { removeRetired } from '../../../protocol/config/retiredFields.ts';
import { messageOf, UnimissError } from '../../../protocol/errors.ts';
import { isObject } from '../../../protocol/json.ts';

/** A run's configuration as this version reads it. */
export interface StoredConfig {
  /** Undefined if this version cannot read it; `problem` says why. */
  readonly config?: ResolvedConfig;
  readonly problem?: UnimissError;
  /** What is ignored in it, one sentence each. */
  readonly notices: readonly string[];
  readonly summary: ConfigSummary;
}

const unknown: ConfigSummary = { preset: 'unknown', epochs: 0 };

/**
 * Reads config.resolved.json leniently, since another version may have written it: ignores an unknown field with a notice, and
 * fills a missing one with its default. Never throws, because a run with an unreadable configuration can still be shown.
 * @param file path of the file, for messages
 * @param folder start of relative paths
 */
export function readStoredConfig(
  text: string,
  file: string,
  folder: string,
  kinds: readonly ConfigKind[],
): StoredConfig {
  const refused = (what: string, remedy: string, cause?: unknown): StoredConfig => ({
    problem: new UnimissError('config', what, { place: file, remedy, cause }),
    notices: [],
    summary: unknown,
  });
  const again = 'You can view the run, but not train it. Start a new run from config.unimiss.jsonc.';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    return refused(`is not JSON: ${messageOf(cause)}`, 'Restore it from a backup.', cause);
  }
  const task = isObject(value) ? value.task : undefined;
  const kind = kindNamed(task, kinds);
  if (!kind) return refused(`this version has no task ${JSON.stringify(task)}`, `Update UniMiSS. ${again}`);
  nameStages(value);
  const notices = removeRetired(value).map(({ message }) => `${file}: ${message}`);
  for (;;) {
    const parsed = kind.schema.safeParse(value);
    if (parsed.success) {
      const config = kind.resolve(parsed.data, { baseDir: folder });
      return { config: config as ResolvedConfig, notices, summary: kind.summary(config) };
    }
    const removed = parsed.error.issues.flatMap((issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.filter((key) => removeKey(value, issue.path, key)).map((key) => [...issue.path, key].join('.'))
        : [],
    );
    if (removed.length === 0) return { problem: explained(text, file, kinds), notices, summary: unknown };
    notices.push(...removed.map((field) => `${file}: \`${field}\` is ignored, because this version does not know it.`));
  }
}

/** Earlier versions recorded no number of stages: every network had four. */
function nameStages(value: unknown): void {
  const model = isObject(value) ? value.model : undefined;
  if (isObject(model) && model.preset !== undefined && !Object.hasOwn(model, 'stages')) model.stages = 4;
}

/** Everything wrong with a configuration, with line, field and remedy. */
function explained(text: string, file: string, kinds: readonly ConfigKind[]): UnimissError {
  try {
    parseConfig(text, file, { kinds });
  } catch (error) {
    if (error instanceof UnimissError) return error;
    throw error;
  }
  return new UnimissError('internal', 'is valid but cannot be read', { place: file });
}

/** Deletes an own key of the object at a path. @returns whether it existed */
function removeKey(value: unknown, path: readonly PropertyKey[], key: string): boolean {
  let at: unknown = value;
  for (const step of path)
    at = isObject(at) || Array.isArray(at) ? (at as Record<PropertyKey, unknown>)[step] : undefined;
  return isObject(at) && Object.hasOwn(at, key) && delete at[key];
}
