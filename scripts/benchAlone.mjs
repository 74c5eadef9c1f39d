// The bench of whole steps in a pack (packBench.mjs), beside `step.mjs` and `torch_step.py`: prints the table of docs/performance.md, and
// writes each measurement to results.jsonl.
// Usage: ./node bench.mjs [--device pjrt:cuda --python /path/to/python --only tiny-2D --batch 2,8,24 --precision float32,bfloat16 --variants eager,compiled --rounds 2 --steps 20]

import { spawnSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { failures, matrixDefaults, matrixTable, measureMatrix } from './benchMatrix.mjs';

const { values: options } = parseArgs({
  options: {
    device: { type: 'string', default: 'pjrt:cuda' },
    python: { type: 'string', default: process.env.PYTHON ?? 'python3' },
    only: { type: 'string', default: matrixDefaults.cases.join() },
    batch: { type: 'string', default: matrixDefaults.batches.join() },
    precision: { type: 'string', default: matrixDefaults.precisions.join() },
    variants: { type: 'string', default: matrixDefaults.variants.join() },
    rounds: { type: 'string', default: '2' },
    steps: { type: 'string', default: '20' },
  },
});
const here = dirname(fileURLToPath(import.meta.url));
const words = (text) => text.split(',').filter((word) => word !== '');

function measure(side, args) {
  const [command, script] = side === 'ours' ? [process.execPath, 'step.mjs'] : [options.python, 'torch_step.py'];
  const { status, stdout, stderr, error } = spawnSync(command, [join(here, script), ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 24,
  });
  if (error || status !== 0) throw new Error(error?.message ?? (stderr.trim() || `it ended with ${status}`));
  return JSON.parse(stdout.trim().split('\n').at(-1));
}

const rows = measureMatrix({
  cases: words(options.only),
  batches: words(options.batch).map(Number),
  precisions: words(options.precision),
  variants: words(options.variants),
  device: options.device,
  steps: Number(options.steps),
  rounds: Number(options.rounds),
  measure,
  told: (measured) => {
    const line = JSON.stringify(measured);
    console.error(line);
    appendFileSync('results.jsonl', `${line}\n`);
  },
});
console.log(matrixTable(rows));
for (const line of failures(rows)) console.log(`Failed: ${line}`);
if (rows.every(({ ours }) => !ours)) process.exit(1);
