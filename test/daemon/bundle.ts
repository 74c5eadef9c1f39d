import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';

/**
 * Bundles scripts of this folder so that node can run them as processes; they lie under dist/, from where node finds the packages.
 * @returns their paths by name, and how to remove them
 */
export async function bundleScripts<N extends string>(...names: N[]): Promise<Record<N, string> & { remove(): void }> {
  const base = resolve('dist');
  mkdirSync(base, { recursive: true });
  const folder = mkdtempSync(join(base, 'test-'));
  await build({
    entryPoints: Object.fromEntries(names.map((name) => [name, `test/daemon/${name}.ts`])),
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'error',
  });
  const paths = Object.fromEntries(names.map((name) => [name, join(folder, `${name}.mjs`)])) as Record<N, string>;
  return Object.assign(paths, { remove: () => rmSync(folder, { recursive: true, force: true }) });
}
