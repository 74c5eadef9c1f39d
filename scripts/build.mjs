// Bundles the daemon and the webviews into dist/. Options: --watch.
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
else await Promise.all(targets.map((t) => build(t)));
