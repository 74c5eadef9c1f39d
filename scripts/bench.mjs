// Times our whole pre-training step beside PyTorch's (test/bench/torch_step.py), alternately, and writes docs/performance.md.
// Usage: npm run bench [-- --python /path/to/python --rounds 3 --steps 5 --only tiny-2D,small-3D --dry]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const { values: options } = parseArgs({
  options: {
    python: { type: 'string', default: process.env.UNIMISS_BENCH_PYTHON ?? 'python3' },
    rounds: { type: 'string', default: '3' },
    steps: { type: 'string', default: '5' },
    only: { type: 'string' },
    dry: { type: 'boolean', default: false },
  },
});
const wanted = options.only?.split(',');
const cases = ['tiny-2D', 'tiny-3D', 'small-2D', 'small-3D'].filter((name) => !wanted || wanted.includes(name));
const [rounds, steps] = [Number(options.rounds), Number(options.steps)];

/** Runs a program that ends by printing one line of JSON. */
function measure(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 24 });
  if (error || status !== 0) {
    console.error(`${command} ${args.join(' ')} failed:\n${error?.message ?? stderr}`);
    if (command === options.python) console.error('Name a Python that has PyTorch: npm run bench -- --python PATH');
    process.exit(1);
  }
  return JSON.parse(stdout.trim().split('\n').at(-1));
}

// Bundled inside the project, so that its packages are found.
const folder = mkdtempSync(join('node_modules', '.bench-'));
const bundle = join(folder, 'step.mjs');
await build({
  entryPoints: ['test/bench/step.ts'],
  outfile: bundle,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  packages: 'external',
  logLevel: 'warning',
});

const results = [];
try {
  for (const name of cases) {
    const [arch, phase] = name.split('-');
    const args = ['--arch', arch, '--phase', phase, '--batch', '2', '--steps', String(steps)];
    const runs = { ours: [], torch: [] };
    for (let round = 0; round < rounds; round++) {
      runs.ours.push(measure(process.execPath, [bundle, ...args]));
      runs.torch.push(measure(options.python, ['test/bench/torch_step.py', '--fused', '--threads', '2', ...args]));
      const [ours, torch] = [runs.ours.at(-1), runs.torch.at(-1)];
      console.log(
        `${name}, round ${round + 1}: ours ${ours.minMs} ms, ${ours.peakMiB} MiB; PyTorch ${torch.minMs} ms, ${torch.peakMiB} MiB`,
      );
    }
    const fastest = (list) => Math.min(...list.map((run) => run.minMs));
    const peak = (list) => Math.max(...list.map((run) => run.peakMiB));
    results.push({
      name: `${arch} ${phase}`,
      ours: fastest(runs.ours),
      torch: fastest(runs.torch),
      oursPeak: peak(runs.ours),
      torchPeak: peak(runs.torch),
      version: runs.torch[0].torch,
    });
  }
} finally {
  rmSync(folder, { recursive: true });
}

const rows = results.map(
  (r) =>
    `| ${r.name} | ${r.ours} | ${r.torch} | ${(r.torch / r.ours).toFixed(2)} | ${r.oursPeak} | ${r.torchPeak} | ${(r.oursPeak / r.torchPeak).toFixed(2)} |`,
);
const table = [
  '| | ours, ms | PyTorch, ms | times as fast | ours, MiB | PyTorch, MiB | memory ratio |',
  '|---|---|---|---|---|---|---|',
  ...rows,
].join('\n');
console.log(`\n${table}`);

if (!options.dry) {
  const file = 'docs/performance.md';
  const text = readFileSync(file, 'utf8');
  const [begin, end] = ['<!-- bench: begin -->', '<!-- bench: end -->'];
  const head = text.slice(0, text.indexOf(begin) + begin.length);
  const tail = text.slice(text.indexOf(end));
  const where = `${cpus().length} cores (${cpus()[0].model.trim()}), Linux ${release()}, Node ${process.version}, PyTorch ${results[0].version}; ${rounds} rounds of ${steps} steps in turns, fastest step and largest peak of each.`;
  writeFileSync(file, `${head}\n${where}\n\n${table}\n${tail}`);
  console.log(`\nwritten to ${file}`);
}
