// Times our whole training steps beside PyTorch's (test/bench/torch_step.py, torch_downstream.py), alternately, and writes
// docs/performance.md. Prediction too (benchPredict.mjs): whole commands, and windows beside PyTorch's.
// Usage: npm run bench [-- --python /path/to/python --rounds 3 --steps 5 --only tiny-2D,small-3D,segmentation,predict --dry]
// On a plugin of PJRT: npm run bench -- --device pjrt:cuda [--batch 2,8,24 --precision float32,bfloat16 --variants eager,compiled --only …]
// --only predict takes cases as well: predict:0, predict:1, predict:2, predict:windows.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { failures, matrixDefaults, matrixTable, measureMatrix } from './benchMatrix.mjs';
import { benchPrediction } from './benchPredict.mjs';
import { bundleForNode } from './bundleForNode.mjs';
import { putBetweenMarks } from './marks.mjs';

const { values: options } = parseArgs({
  options: {
    python: { type: 'string', default: process.env.UNIMISS_BENCH_PYTHON ?? 'python3' },
    rounds: { type: 'string', default: '3' },
    steps: { type: 'string', default: '5' },
    only: { type: 'string' },
    device: { type: 'string', default: 'cpu' },
    batch: { type: 'string', default: matrixDefaults.batches.join() },
    precision: { type: 'string', default: matrixDefaults.precisions.join() },
    variants: { type: 'string', default: matrixDefaults.variants.join() },
    dry: { type: 'boolean', default: false },
  },
});
const wanted = options.only?.split(',');
const chosen = (names) => names.filter((name) => !wanted || wanted.includes(name));

const onPlugin = options.device.startsWith('pjrt:');
const models = chosen(matrixDefaults.cases);

/** Pre-training on TensorFlow: a case each for model and kind of image. */
const pretraining = (onPlugin ? [] : models).map((name) => {
  const [arch, phase] = name.split('-');
  const args = ['--arch', arch, '--phase', phase, '--batch', '2'];
  return {
    name: `${arch} ${phase}`,
    entry: 'step.ts',
    ours: [...args, '--device', options.device],
    torch: [['torch_step.py', '--fused', ...args]],
  };
});

/** Fine-tuning: PyTorch in its own layout and in channels-last. */
const finetuning = (options.device === 'cpu' ? chosen(['segmentation', 'classification']) : []).map((task) => {
  const [size, batch, classes] = task === 'segmentation' ? [[48, 192, 192], 2, 14] : [[64, 128, 128], 8, 2];
  const args = ['--task', task, '--batch', String(batch), '--classes', String(classes)];
  const torch = ['torch_downstream.py', 'bench', ...args, '--size', ...size.map(String)];
  return {
    name: `${task}, ${size.join('×')}, batch ${batch}, ${classes} classes`,
    entry: 'downstreamStep.ts',
    ours: [...args, '--size', size.join(',')],
    torch: [torch, [...torch, '--channels-last']],
  };
});
const [rounds, steps] = [Number(options.rounds), Number(options.steps)];

/** Runs a program that ends by printing one line of JSON. @throws Error with what it wrote, if it failed */
function jsonOf(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 24 });
  if (error || status !== 0) throw new Error(error?.message ?? stderr);
  return JSON.parse(stdout.trim().split('\n').at(-1));
}

/** As `jsonOf`, but ends this program if that fails. */
function measure(command, args) {
  try {
    return jsonOf(command, args);
  } catch (error) {
    console.error(`${command} ${args.join(' ')} failed:\n${error.message}`);
    if (command === options.python) console.error('Name a Python that has PyTorch: npm run bench -- --python PATH');
    process.exit(1);
  }
}

function bundle(folder, entry) {
  return bundleForNode(`test/bench/${entry}`, join(folder, entry.replace('.ts', '.mjs')));
}

/** Measures cases in turns: the fastest step and the largest peak of each side; of PyTorch's variants the fastest and the smallest. */
async function measureCases(folder, cases) {
  const results = [];
  for (const { name, entry, ours, torch } of cases) {
    const program = await bundle(folder, entry);
    const own = [];
    const others = torch.map(() => []);
    for (let round = 0; round < rounds; round++) {
      own.push(measure(process.execPath, [program, ...ours, '--steps', String(steps)]));
      torch.forEach(([script, ...args], variant) => {
        const all = [`test/bench/${script}`, ...args, '--threads', '2', '--steps', String(steps)];
        others[variant].push(measure(options.python, all));
      });
      const told = others.map((runs) => `${runs.at(-1).minMs} ms, ${runs.at(-1).peakMiB} MiB`).join('; ');
      console.log(
        `${name}, round ${round + 1}: ours ${own.at(-1).minMs} ms, ${own.at(-1).peakMiB} MiB; PyTorch ${told}`,
      );
    }
    const fastest = (runs) => Math.min(...runs.map((run) => run.minMs));
    const peak = (runs) => Math.max(...runs.map((run) => run.peakMiB));
    results.push({
      name,
      ours: fastest(own),
      torch: Math.min(...others.map(fastest)),
      oursPeak: peak(own),
      torchPeak: Math.min(...others.map(peak)),
      version: others[0][0].torch,
    });
  }
  return results;
}

function tableOf(results) {
  const rows = results.map(
    (r) =>
      `| ${r.name} | ${r.ours} | ${r.torch} | ${(r.torch / r.ours).toFixed(2)} | ${r.oursPeak} | ${r.torchPeak} | ${(r.oursPeak / r.torchPeak).toFixed(2)} |`,
  );
  return [
    '| | ours, ms | PyTorch, ms | times as fast | ours, MiB | PyTorch, MiB | memory ratio |',
    '|---|---|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

/** Without the build's own suffix. */
const kernel = release().split('.').slice(0, 2).join('.');
const machine = `${cpus().length} cores (${cpus()[0].model.trim()}), Linux ${kernel}, Node ${process.version}`;

const file = 'docs/performance.md';
const withPart = (mark, part) => putBetweenMarks(readFileSync(file, 'utf8'), { file, mark, part });

/** Replaces what stands in docs/performance.md between two marks. */
function put(mark, where, table) {
  writeFileSync(file, withPart(mark, `${where}\n\n${table}`));
  console.log(`\nwritten to ${file}`);
}

/** On a plugin: all batches and precisions, beside PyTorch eager and compiled. */
async function benchPlugin() {
  const words = (text) => text.split(',').filter((word) => word !== '');
  const mark = `bench ${options.device}`;
  if (!options.dry) withPart(mark, ''); // a missing mark is found before hours of measuring
  const program = await bundle(folder, 'step.ts');
  const rows = measureMatrix({
    cases: models,
    batches: words(options.batch).map(Number),
    precisions: words(options.precision),
    variants: words(options.variants),
    device: options.device,
    tensorflow: options.device === 'pjrt:cpu', // the engine of choice for processors
    steps,
    rounds,
    measure: (side, args) =>
      side === 'ours'
        ? jsonOf(process.execPath, [program, ...args])
        : jsonOf(options.python, ['test/bench/torch_step.py', ...args]),
    told: (measured) => console.log(JSON.stringify(measured)),
  });
  const table = matrixTable(rows);
  console.log(`\n${table}`);
  for (const line of failures(rows)) console.log(`Failed: ${line}`);
  if (rows.every(({ ours }) => !ours))
    throw new Error('no step of ours could be measured; the table is left as it was');
  const [torch] = rows.flatMap((row) => row.torch.flatMap(([, other]) => other?.run.torch ?? []));
  const [card] = rows.flatMap((row) => row.ours?.run.card ?? []);
  const where = options.device === 'pjrt:cpu' ? machine : `${card}; ${machine}`;
  const rule = `${rounds} rounds of ${steps} steps in turns, fastest step and largest peak of each.`;
  if (!options.dry) put(mark, `${where}, PyTorch ${torch ?? 'not measured'}; ${rule}`, table);
}

const folder = mkdtempSync(join('node_modules', '.bench-'));
try {
  if (onPlugin) await benchPlugin();
  for (const [mark, cases] of [
    ['bench', pretraining],
    ['finetune bench', finetuning],
  ]) {
    if (cases.length === 0) continue;
    const results = await measureCases(folder, cases);
    const table = tableOf(results);
    console.log(`\n${table}`);
    const rule = `${rounds} rounds of ${steps} steps in turns, fastest step and largest peak of each.`;
    if (!options.dry) put(mark, `${machine}, PyTorch ${results[0].version}; ${rule}`, table);
  }
  const predictions =
    options.device !== 'cpu'
      ? []
      : wanted?.flatMap((name) => (name.startsWith('predict') ? [name.slice('predict:'.length)] : []));
  if (!predictions || predictions.length > 0) {
    const program = await bundle(folder, 'predict.ts');
    const cases = predictions?.includes('') ? undefined : predictions;
    const { python } = options;
    const table = await benchPrediction({ program, folder, measure, python, rounds, steps, wanted: cases });
    console.log(`\n${table}`);
    if (!options.dry && !cases)
      put('predict bench', `${machine}; ${rounds} rounds, fastest and largest of each.`, table);
  }
} finally {
  rmSync(folder, { recursive: true });
}
