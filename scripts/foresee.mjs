// Compiles whole training steps for an NVIDIA H100 without one, and writes what they will need of its memory to docs/performance.md.
// Usage: UNIMISS_PJRT_CUDA=/path/to/xla_cuda_plugin.so node scripts/foresee.mjs [--only tiny-2D,small-3D --batch 2,8,24 --precision float32,bfloat16 --dry]

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bundleForNode } from './bundleForNode.mjs';
import { putBetweenMarks } from './marks.mjs';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: 'tiny-2D,tiny-3D,small-2D,small-3D' },
    batch: { type: 'string', default: '2,8,24' },
    precision: { type: 'string', default: 'float32,bfloat16' },
    dry: { type: 'boolean', default: false },
  },
});
const words = (text) => text.split(',');
const precisions = words(options.precision);

/** Compiles one step in a process of its own. */
function foresee(program, args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${args.join(' ')} failed:\n${stderr}`);
  const result = JSON.parse(stdout.trim().split('\n').at(-1));
  if (result.aliased < result.stateBytes) throw new Error(`${args.join(' ')}: the state is not updated in place`);
  console.log(JSON.stringify(result));
  return result;
}

const file = 'docs/performance.md';
const withTable = (part) => putBetweenMarks(readFileSync(file, 'utf8'), { file, mark: 'foreseen', part });
if (!options.dry) withTable(''); // a missing mark is found before the compilations

const gib = (bytes) => (bytes / 2 ** 30).toFixed(2);
const folder = mkdtempSync(join('node_modules', '.foresee-'));
try {
  const program = await bundleForNode('test/bench/foresee.ts', join(folder, 'foresee.mjs'));
  const rows = words(options.only).flatMap((name) =>
    words(options.batch).map((batch) => {
      const [arch, phase] = name.split('-');
      const args = ['--arch', arch, '--phase', phase, '--batch', batch];
      const found = precisions.map((precision) => foresee(program, [...args, '--precision', precision]));
      const [{ stateBytes, cudnn }] = found;
      const calls = `${cudnn.forward} / ${cudnn.input} / ${cudnn.filter}`;
      const peaks = found.map(({ peak }) => gib(peak)).join(' | ');
      return `| ${arch} ${phase} | ${batch} | ${gib(stateBytes)} | ${peaks} | ${calls} |`;
    }),
  );
  const head = `| | batch | state | ${precisions.map((each) => `peak, ${each}`).join(' | ')} | cuDNN: forward / by input / by kernel |`;
  const table = [head, `|${'---|'.repeat(4 + precisions.length)}`, ...rows].join('\n');
  console.log(`\n${table}`);
  if (!options.dry) writeFileSync(file, withTable(table));
} finally {
  rmSync(folder, { recursive: true });
}
