// Bundles the daemon and the webviews into dist/. Options: --watch.
import { existsSync } from 'node:fs';
import { context, build } from 'esbuild';

const common = { bundle: true, sourcemap: true, logLevel: 'warning', legalComments: 'linked' };
const targets = [
  {
    ...common,
    entryPoints: { main: 'daemon/main.ts', 'loader-worker': 'daemon/data/loader/worker.ts' },
    outdir: 'dist/daemon',
    platform: 'node',
    target: 'node20',
    format: 'esm',
    packages: 'external',
  },
  {
    ...common,
    entryPoints: { metrics: 'webviews/metrics/main.ts' },
    outdir: 'dist/webviews',
    platform: 'browser',
    target: 'es2022',
    format: 'iife',
    minify: true,
    sourcemap: false,
  },
];
if (process.argv.includes('--watch')) for (const t of targets) await (await context(t)).watch();
else {
  for (const t of targets) for (const [name, file] of Object.entries(t.entryPoints)) if (!existsSync(file)) delete t.entryPoints[name];
  await Promise.all(targets.filter((t) => Object.keys(t.entryPoints).length > 0).map((t) => build(t)));
}
