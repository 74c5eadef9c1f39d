// Packs the bench of whole steps for a machine with a GPU and no network: Node, our bundle, koffi, PyTorch's script, one command.
// It needs there: the plugin (`unimiss engine install --device pjrt:cuda`, or UNIMISS_PJRT), and a Python with PyTorch.
// Usage: node scripts/packBench.mjs [--out unimiss-bench.tar.gz]

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { daemonBundle } from './bundles.mjs';

const LARGEST = 64 * 2 ** 20;
const { values: options } = parseArgs({ options: { out: { type: 'string', default: 'unimiss-bench.tar.gz' } } });

const run = `#!/bin/sh
# Times tiny and small in 2D and 3D beside PyTorch on the same card, in turns, and prints a table; each measurement goes to results.jsonl.
# PYTHON: a Python with PyTorch; without one: --variants ''. Options: see bench.mjs.
cd "$(dirname "$0")" || exit 1
command -v nvidia-smi >/dev/null && nvidia-smi --query-gpu=name,memory.total,driver_version --format=csv,noheader
exec ./node bench.mjs "$@"
`;

const folder = mkdtempSync(join(tmpdir(), 'unimiss-bench-'));
try {
  const pack = join(folder, 'unimiss-bench');
  mkdirSync(pack);
  await build({
    ...daemonBundle,
    entryPoints: ['test/bench/step.ts'],
    outfile: join(pack, 'step.mjs'),
    sourcemap: false,
    minify: true,
  });
  copyFileSync(process.execPath, join(pack, 'node'));
  execFileSync('strip', [join(pack, 'node')]);
  copyFileSync('test/bench/torch_step.py', join(pack, 'torch_step.py'));
  copyFileSync('scripts/benchAlone.mjs', join(pack, 'bench.mjs'));
  copyFileSync('scripts/benchMatrix.mjs', join(pack, 'benchMatrix.mjs'));
  writeFileSync(join(pack, 'run.sh'), run);
  chmodSync(join(pack, 'run.sh'), 0o755);
  for (const name of ['koffi', '@koromix/koffi-linux-x64'])
    if (existsSync(join('node_modules', name)))
      cpSync(join('node_modules', name), join(pack, 'node_modules', name), {
        recursive: true,
        filter: (source) =>
          !/\/koffi\/(vendor|doc)(\/|$)/.test(source) && !/(musl_x64|\.(cc|hh|cpp|h|S|asm|inc|ts|md))$/.test(source),
      });
  const out = resolve(options.out);
  execFileSync('tar', ['-C', folder, '-czf', out, 'unimiss-bench']);
  const { size } = statSync(out);
  if (size > LARGEST) throw new Error(`${out} has ${size} bytes, more than ${LARGEST}`);
  console.log(
    `${out}: ${(size / 2 ** 20).toFixed(1)} MiB. There: tar xzf it, then unimiss-bench/run.sh --python /path/to/python`,
  );
} finally {
  rmSync(folder, { recursive: true });
}
