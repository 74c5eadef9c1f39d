import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

export interface PruneOptions {
  /** Which files count, by their names. */
  readonly names: RegExp;
  /** Bytes above which files are removed. */
  readonly maxBytes: number;
  /** Paths that stay. */
  readonly keep?: ReadonlySet<string>;
}

/**
 * Removes the least recently used files (by their times of change) until the rest is at nine tenths of the allowed size.
 * Several processes may do so at once.
 * @returns what was removed
 */
export async function pruneFolder(
  folder: string,
  { names, maxBytes, keep = new Set() }: PruneOptions,
): Promise<{ files: number; bytes: number }> {
  const own = (await readdir(folder)).filter((name) => names.test(name));
  const found = await Promise.all(
    own.map(async (name) => {
      const file = join(folder, name);
      // Another process may have removed it in the meantime.
      const info = await stat(file).catch(() => undefined);
      return info && { file, bytes: info.size, usedMs: info.mtimeMs };
    }),
  );
  const files = found.filter((entry) => entry !== undefined).sort((a, b) => a.usedMs - b.usedMs);
  let total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const removed = { files: 0, bytes: 0 };
  if (total <= maxBytes) return removed;
  for (const { file, bytes } of files) {
    if (total <= 0.9 * maxBytes) break;
    if (keep.has(file)) continue;
    await rm(file, { force: true });
    total -= bytes;
    removed.files++;
    removed.bytes += bytes;
  }
  return removed;
}
