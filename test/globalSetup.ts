import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Short, as sockets lie in folders below it: their paths have 107 bytes at most. */
const PREFIX = 'ut-';

/**
 * Before any test: integration tests start the real bundles, so these are built anew. What tests put into the folder for
 * temporary files goes into one of their own, which is removed after the last.
 */
export default function setup(): (() => void) | undefined {
  if (process.env.TMPDIR?.includes(`/${PREFIX}`)) return undefined; // each project of vitest.config.ts comes here
  const folder = mkdtempSync(join(tmpdir(), PREFIX));
  process.env.TMPDIR = folder;
  execFileSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' });
  return () => rmSync(folder, { recursive: true, force: true });
}
