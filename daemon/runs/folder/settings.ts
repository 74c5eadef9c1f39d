import { isAbsolute } from 'node:path';
import { isObject } from '../../../protocol/json.ts';
import type { RunFolder } from './runFolder.ts';

/**
 * The configuration of a run as text by field (`train.lr`: `0.0008`), for comparisons. With `records.hidePaths`, a path is
 * "hidden". undefined if this version cannot read the configuration.
 */
export function settingsOf(run: RunFolder): Record<string, string> | undefined {
  if (!run.readable) return undefined;
  const hide = run.config.records.hidePaths;
  const settings: Record<string, string> = {};
  const shown = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(shown);
    return hide && typeof value === 'string' && isAbsolute(value) ? 'hidden' : value;
  };
  const add = (value: unknown, path: string): void => {
    if (isObject(value)) for (const [key, inner] of Object.entries(value)) add(inner, path ? `${path}.${key}` : key);
    else if (value !== undefined) {
      const own = shown(value);
      settings[path] = typeof own === 'string' ? own : JSON.stringify(own);
    }
  };
  add(run.config, '');
  return settings;
}
