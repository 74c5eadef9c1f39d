// Times how soon planes of a large volume are there (test/bench/viewer.ts). Usage: npm run bench:viewer [-- --slices 600 --rounds 3]
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { build } from 'esbuild';

if (!existsSync('dist/daemon/image-thread.js')) throw new Error('Run `npm run build` first.');
const outfile = 'dist/bench/viewer.mjs';
await build({
  entryPoints: ['test/bench/viewer.ts'],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
});
process.exit(spawnSync(process.execPath, [outfile, ...process.argv.slice(2)], { stdio: 'inherit' }).status ?? 1);
