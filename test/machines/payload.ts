import { mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { type Payload, readPayload } from '../../machines/payload.ts';
import { daemonBundle } from '../../scripts/bundles.mjs';

/**
 * A daemon for other machines whose runs the fake trainer trains (test/daemon/main.ts): whole, as it runs where no packages are.
 */
export async function fakePayload(): Promise<Payload & { remove(): void }> {
  const folder = mkdtempSync(join(resolve('dist'), 'test-'));
  await build({
    ...daemonBundle,
    entryPoints: { main: 'test/daemon/main.ts' },
    outdir: folder,
    sourcemap: false,
    logLevel: 'error',
  });
  const payload = await readPayload(folder, '9.9.9');
  return { ...payload, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
