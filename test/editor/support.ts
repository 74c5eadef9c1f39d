import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect } from 'vitest';
import { lack } from '../needs.ts';
import type { Editor } from './kit/editor.ts';
import { whyNotHere } from './kit/surroundings.ts';

/** Why these tests are skipped on this machine, for their titles; '' where they are not. Throws where they are required. */
export const skipped = lack('editor', whyNotHere());

/** For `describe`: what is tested, with the reason where it is skipped. */
export function titled(what: string): string {
  return skipped ? `${what} (skipped: ${skipped})` : what;
}

/** Packs what was built into a VSIX, with options of scripts/package.mjs, in `folder` or a new temporary one. @returns its path */
export function packVsix(folder = mkdtempSync(join(tmpdir(), 'um-vsix-')), ...options: string[]): string {
  const vsix = join(folder, 'unimiss.vsix');
  execFileSync(process.execPath, ['scripts/package.mjs', '--no-build', '--out', vsix, ...options], { stdio: 'pipe' });
  return vsix;
}

/** A folder for PATH with all programs of /usr/bin and /bin but Node's: the extension must do without. */
export function pathWithoutNode(folder: string): string {
  const own = /^(node|nodejs|npm|npx|corepack)$/;
  mkdirSync(folder);
  for (const name of new Set(['/usr/bin', '/bin'].flatMap((bin) => readdirSync(bin))))
    if (!own.test(name)) symlinkSync(join('/usr/bin', name), join(folder, name));
  return folder;
}

/** For one test, ms. Like all limits here it only ends what hangs: two busy cores are slow. */
export const testTimeout = 600_000;

/** Asks again until the assertion holds. */
export function eventually<T>(probe: () => T | Promise<T>) {
  return expect.poll(probe, { timeout: 180_000, interval: 100 });
}

/** With a test that fails comes what extension, daemon and extension host had logged by then. */
export function explainFailures(editor: () => Editor | undefined): void {
  beforeEach(({ onTestFailed }) => {
    onTestFailed(() => console.log(editor()?.report()));
  });
}
